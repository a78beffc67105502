//! The objects of a connection: what the source has, and what its records become.

use axum::extract::State;
use platform::audit::{self, Entry};
use platform::extract::{Json, Path};
use platform::page::List;
use platform::{Admin, Platform, Reader, Result, Routes, db, list_body, routes};
use schema::{ConnectionId, Error};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::connections;
use crate::connection::audit_object;
use crate::db::objects::{self, SourceObject};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(read, change))
}

list_body! {
    /// One page of a connection's objects, by name.
    SourceObjects { objects: [SourceObject] }
}

/// The objects of a connection: tables, files and streams whose records came, or that are named in
/// its config.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/objects", tag = "connect",
    operation_id = "objects.list", params(("id" = ConnectionId, Path), List<SourceObject>),
    security(("bearer" = ["read"])), responses((status = 200, body = SourceObjects)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    list: List<SourceObject>,
) -> Result<Json<SourceObjects>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = objects::count(&mut tx, caller.tenant, id).await?;
    let rows = objects::list(&mut tx, caller.tenant, id, &list.page).await?;
    Ok(list.answer(rows, total))
}

/// One object of a connection.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/objects/{object}", tag = "connect",
    operation_id = "objects.read",
    params(("id" = ConnectionId, Path), ("object" = String, Path)),
    security(("bearer" = ["read"])), responses((status = 200, body = SourceObject)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path((id, object)): Path<(ConnectionId, String)>,
) -> Result<Json<SourceObject>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let found = objects::find(&mut tx, caller.tenant, id, &object).await?;
    Ok(Json(found.ok_or(NOT_FOUND)?))
}

/// What shall become of an object.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ObjectChange {
    /// Whether its records are kept raw and nobody is asked what they are.
    ignored: bool,
}

/// Changes what becomes of an object. What its records become is said by its mapping: see
/// `/api/v1/dcl/proposals/{connection}/{object}`.
#[utoipa::path(put, path = "/api/v1/aam/connections/{id}/objects/{object}", tag = "connect",
    operation_id = "objects.change",
    params(("id" = ConnectionId, Path), ("object" = String, Path)), request_body = ObjectChange,
    security(("bearer" = ["admin"])), responses((status = 200, body = SourceObject)))]
async fn change(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path((id, object)): Path<(ConnectionId, String)>,
    Json(change): Json<ObjectChange>,
) -> Result<Json<SourceObject>> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let key = schema::source::ObjectKey {
        connection: id,
        name: &object,
    };
    let changed =
        aam::db::source_objects::set_ignored(&mut tx, caller.tenant, key, change.ignored).await?;
    if !changed {
        return Err(NOT_FOUND.into());
    }
    let found = objects::find(&mut tx, caller.tenant, id, &object).await?;
    let found = found.ok_or(NOT_FOUND)?;
    if change.ignored && found.entity.is_some() {
        let detail = "the object is mapped: delete its mapping first, see \
                      DELETE /api/v1/dcl/mappings/{connection}/{object}";
        return Err(Error::conflict(detail).into());
    }
    let entry = Entry::new(&caller, "object.change", audit_object(id))
        .after(json!({ "object": object, "ignored": change.ignored }));
    audit::append(&mut tx, caller.tenant, &entry).await?;
    tx.commit().await?;
    Ok(Json(found))
}

const NOT_FOUND: Error = Error::NotFound {
    what: "source object",
};
