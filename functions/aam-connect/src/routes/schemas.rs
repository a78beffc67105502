//! The structure of a connection's objects, version by version.

use aam::drift;
use axum::extract::State;
use mapping::FieldUse;
use platform::extract::{Json, Path, Query};
use platform::page::List;
use platform::{Platform, Reader, Result, Routes, db, list_body, routes};
use schema::drift::Change;
use schema::source::ObjectKey;
use schema::{ConnectionId, Error};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connections::{self, check_name};
use crate::db::schemas::{self, SchemaVersion};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list)).routes(routes!(diff))
}

#[derive(Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only versions of this object, such as `hubspot.account`.
    object: Option<String>,
}

list_body! {
    /// One page of snapshots: by object, the newest version first.
    Schemas { schemas: [SchemaVersion] }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Versions {
    /// The object, such as `hubspot.account`.
    object: String,
    #[param(minimum = 1)]
    from: i32,
    #[param(minimum = 1)]
    to: i32,
}

/// What differs between two versions.
#[derive(Serialize, ToSchema)]
struct Diff {
    object: String,
    from: i32,
    to: i32,
    changes: Vec<Change>,
}

/// The schema snapshots of a connection's objects. A snapshot never changes.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/schemas", tag = "connect",
    operation_id = "schemas.list",
    params(("id" = ConnectionId, Path), List<SchemaVersion, Filter>), security(("bearer" = ["read"])),
    responses((status = 200, body = Schemas)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    list: List<SchemaVersion, Filter>,
) -> Result<Json<Schemas>> {
    let object = list.filter.object.as_deref();
    check_name("?object", object)?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = schemas::count(&mut tx, caller.tenant, id, object).await?;
    let schemas = schemas::list(&mut tx, caller.tenant, id, object, &list.page).await?;
    Ok(list.answer(schemas, total))
}

/// The differences between two schema snapshots of an object, with the severity that each has for
/// a mapped field.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/schemas/diff", tag = "connect",
    operation_id = "schemas.diff",
    params(("id" = ConnectionId, Path), Versions), security(("bearer" = ["read"])),
    responses((status = 200, body = Diff)))]
async fn diff(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    Query(versions): Query<Versions>,
) -> Result<Json<Diff>> {
    let Versions { object, from, to } = versions;
    check_name("?object", Some(&object))?;
    let absent = Error::NotFound {
        what: "schema version",
    };
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let key = ObjectKey {
        connection: id,
        name: &object,
    };
    let before = schemas::find(&mut tx, caller.tenant, key, from).await?;
    let after = schemas::find(&mut tx, caller.tenant, key, to).await?;
    let (Some(before), Some(after)) = (before, after) else {
        return Err(absent.into());
    };
    Ok(Json(Diff {
        changes: drift::diff(&before, &after, &|_| FieldUse::MAPPED),
        object,
        from,
        to,
    }))
}
