//! Mapping stored records again, as a job.

use aam::db::custom_entities;
use aam::replay::{Phase, Replay};
use axum::extract::State;
use axum::http::StatusCode;
use platform::extract::{Json, Path, Query};
use platform::{Ingester, JobAccepted, Platform, Result, Routes, db, routes};
use schema::{ConnectionId, Error};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::connections::{self, check_name};
use super::filesource::resolve;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(all))
        .routes(routes!(quarantined))
        .routes(routes!(files))
}

/// What to replay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({})))]
struct NewReplay {
    /// Only records of this object, such as `hubspot.account`.
    object: Option<String>,
}

/// Which files' records.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Files {
    /// Only records of this kind of entity, such as `account`.
    entity: Option<String>,
    /// Only records of this system, such as `hubspot`.
    system: Option<String>,
    /// A connection of the type `filesource`; where the tenant has only one, it may be left out.
    connection_id: Option<ConnectionId>,
}

/// Starts a job that maps every stored record of a connection again with the current mapping. The
/// source is not read.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/replay", tag = "connect",
    operation_id = "replay.all", params(("id" = ConnectionId, Path)), request_body = NewReplay,
    security(("bearer" = ["ingest"])), responses((status = 202, body = JobAccepted)))]
async fn all(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<ConnectionId>,
    Json(new): Json<NewReplay>,
) -> Result<(StatusCode, Json<JobAccepted>)> {
    check_name("/object", new.object.as_deref())?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let queued = new.of(id, Phase::Raw).queue(&mut tx, &caller).await?;
    tx.commit().await?;
    Ok(queued.announced(&platform).await)
}

/// Starts a job that maps the quarantined records of a connection again and writes those that fit
/// now.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/quarantine/replay", tag = "connect",
    operation_id = "replay.quarantined",
    params(("id" = ConnectionId, Path)), request_body = NewReplay,
    security(("bearer" = ["ingest"])), responses((status = 202, body = JobAccepted)))]
async fn quarantined(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<ConnectionId>,
    Json(new): Json<NewReplay>,
) -> Result<(StatusCode, Json<JobAccepted>)> {
    check_name("/object", new.object.as_deref())?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let queued = new
        .of(id, Phase::Quarantine)
        .queue(&mut tx, &caller)
        .await?;
    tx.commit().await?;
    Ok(queued.announced(&platform).await)
}

/// Maps the records of uploaded files again.
#[utoipa::path(post, path = "/api/v1/filesource/replay", tag = "connect", params(Files),
    operation_id = "replay.files",
    security(("bearer" = ["ingest"])), responses((status = 202, body = JobAccepted)))]
async fn files(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Query(files): Query<Files>,
) -> Result<(StatusCode, Json<JobAccepted>)> {
    check_name("?system", files.system.as_deref())?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let entities = custom_entities::entities(&mut tx, caller.tenant).await?;
    if let Some(entity) = &files.entity
        && entities.find(entity).is_none()
    {
        let detail = format!("one of {}", entities.kinds());
        return Err(Error::invalid("?entity", detail).into());
    }
    let connection = resolve(&mut tx, caller.tenant, files.connection_id).await?;
    let replay = Replay {
        connection_id: connection.id,
        object: None,
        system: files.system,
        entity: files.entity,
        from: Phase::Raw,
        field: None,
        group: None,
    };
    let queued = replay.queue(&mut tx, &caller).await?;
    tx.commit().await?;
    Ok(queued.announced(&platform).await)
}

impl NewReplay {
    fn of(self, connection_id: ConnectionId, from: Phase) -> Replay {
        Replay {
            connection_id,
            object: self.object,
            system: None,
            entity: None,
            from,
            field: None,
            group: None,
        }
    }
}
