//! Asking a source for its records, or for its structure.

use axum::extract::State;
use axum::http::StatusCode;
use platform::extract::{Json, Path};
use platform::{Ingester, Platform, Result, Routes, db, routes};
use schema::{ConnectionId, Error, FieldError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::connections;
use crate::connection::source::Source;
use crate::jobs::{Mode, SourceJob, discover as discovery, sync as syncing};
use platform::JobAccepted;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(sync))
        .routes(routes!(discover))
}

/// What to sync, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"mode": "incremental"})))]
struct NewSync {
    /// How much is read; `incremental` where it is left out.
    #[serde(default)]
    mode: Mode,
    /// Only these tables of the config; all by default.
    objects: Option<Vec<String>>,
    /// A full sync that would delete more than half of at least 100 stored records of a table
    /// deletes nothing and fails, unless this is `true`.
    #[serde(default)]
    confirm_deletes: bool,
}

/// What to discover.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({})))]
struct NewDiscovery {
    /// Only these tables of the config; all by default.
    objects: Option<Vec<String>>,
}

/// Starts a job that reads a connection's source: what has changed since the last sync, or all of
/// it.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/sync", tag = "connect",
    operation_id = "connections.sync", params(("id" = ConnectionId, Path)),
    request_body = NewSync, security(("bearer" = ["ingest"])),
    responses((status = 202, body = JobAccepted)))]
async fn sync(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<ConnectionId>,
    Json(new): Json<NewSync>,
) -> Result<(StatusCode, Json<JobAccepted>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let source = get_source(&mut tx, &caller, id).await?;
    let job = SourceJob {
        connection_id: id,
        mode: new.mode,
        objects: names(&source, new.objects)?,
        confirm_deletes: new.confirm_deletes,
    };
    let job = job.queue(syncing::NAME)?;
    let queued = JobAccepted::queue(&mut tx, &caller, "sync.queue", job).await?;
    tx.commit().await?;
    Ok(queued.announced(&platform).await)
}

/// Starts a job that reads the schema of a connection's source. A changed schema is stored as a
/// new snapshot, and a difference from the baseline as drift.
#[utoipa::path(post, path = "/api/v1/aam/connections/{id}/discover", tag = "connect",
    operation_id = "connections.discover", params(("id" = ConnectionId, Path)),
    request_body = NewDiscovery, security(("bearer" = ["ingest"])),
    responses((status = 202, body = JobAccepted)))]
async fn discover(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<ConnectionId>,
    Json(new): Json<NewDiscovery>,
) -> Result<(StatusCode, Json<JobAccepted>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let source = get_source(&mut tx, &caller, id).await?;
    let job = SourceJob {
        objects: names(&source, new.objects)?,
        ..SourceJob::incremental(id)
    };
    let job = job.queue(discovery::NAME)?;
    let queued = JobAccepted::queue(&mut tx, &caller, "discovery.queue", job).await?;
    tx.commit().await?;
    Ok(queued.announced(&platform).await)
}

/// The connection's source; 404 or 409 where there is none.
async fn get_source(
    conn: &mut db::Connection,
    caller: &platform::Caller,
    id: ConnectionId,
) -> Result<Source> {
    connections::get(conn, caller.tenant, id).await?;
    let source = Source::find(conn, caller.tenant, id).await?;
    Ok(source.ok_or(Error::conflict(
        "this connection has no source that can be read: send it files or events",
    ))?)
}

/// The objects' full names.
fn names(source: &Source, wanted: Option<Vec<String>>) -> schema::Result<Option<Vec<String>>> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let (mut names, mut errors) = (Vec::new(), Vec::new());
    for (index, name) in wanted.iter().enumerate() {
        let mut streams = source.streams.iter().map(|it| &it.name);
        match streams.find(|it| source.connector.is_named(it, name)) {
            Some(name) if names.contains(name) => {}
            Some(name) => names.push(name.clone()),
            None => errors.push(FieldError {
                pointer: format!("/objects/{index}"),
                detail: "is not a table of the connection's config".to_owned(),
            }),
        }
    }
    if errors.is_empty() {
        Ok(Some(names))
    } else {
        Err(Error::Invalid(errors))
    }
}
