//! The structure of a connection's objects, version by version.

use aam::drift;
use axum::extract::State;
use mapping::FieldUse;
use platform::extract::{Json, Path, Query};
use platform::page::Page;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::drift::Change;
use schema::source::ObjectKey;
use schema::{ConnectionId, Error};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connections::{self, check_name, scope};
use crate::db::schemas::{self, SchemaVersion};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list)).routes(routes!(diff))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only versions of this object, such as `hubspot.account`.
    object: Option<String>,
    /// 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of snapshots: by object, the newest version first.
#[derive(Serialize, ToSchema)]
struct Schemas {
    schemas: Vec<SchemaVersion>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Versions {
    /// The object, such as `hubspot.account`.
    object: String,
    from: i32,
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

/// The snapshots of the objects' structures. A snapshot never changes.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/schemas", tag = "connect",
    operation_id = "schemas.list",
    params(("id" = ConnectionId, Path), Filter), security(("bearer" = ["read"])),
    responses((status = 200, body = Schemas)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    Query(filter): Query<Filter>,
) -> Result<Json<Schemas>> {
    let object = filter.object.as_deref();
    check_name("?object", object)?;
    let order = format!("{id} {object:?}");
    let scope = scope(caller.tenant, "schemas", &order);
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = schemas::count(&mut tx, caller.tenant, id, object).await?;
    let mut schemas = schemas::list(&mut tx, caller.tenant, id, object, &page).await?;
    let place = |it: &SchemaVersion| (it.object.clone(), it.version);
    let next_cursor = page.next(&scope, &mut schemas, place);
    Ok(Json(Schemas {
        schemas,
        total,
        next_cursor,
    }))
}

/// What changed between two versions of an object, as severe as for a mapped field.
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
