//! Reading mappings.

use aam::db::mappings::{self, CurrentMapping, MappingFilter, StoredMapping};
use axum::extract::State;
use platform::extract::{Json, Path, Query};
use platform::page::List;
use platform::{Platform, Reader, Result, Routes, db, list_body, routes};
use schema::mapping::{FieldMapping, Mapping};
use schema::{ConnectionId, Error};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{NO_MAPPING, NamedObject, ObjectPath};

pub(super) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(versions))
        .routes(routes!(diff))
}

#[derive(Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this connection.
    connection_id: Option<ConnectionId>,
    /// Only those to this entity, such as `account`.
    entity: Option<String>,
}

list_body! {
    /// One page of current mappings, by connection and object.
    Mappings { mappings: [CurrentMapping] }
}

/// The mapping that each object's records are read with now.
#[utoipa::path(get, path = "/api/v1/dcl/mappings", tag = "mappings",
    operation_id = "mappings.list", params(List<CurrentMapping, Filter>),
    security(("bearer" = ["read"])), responses((status = 200, body = Mappings)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    list: List<CurrentMapping, Filter>,
) -> Result<Json<Mappings>> {
    let wanted = MappingFilter {
        connection: list.filter.connection_id,
        entity: list.filter.entity.as_deref(),
    };
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = mappings::count_current(&mut tx, caller.tenant, wanted).await?;
    let rows = mappings::list_current(&mut tx, caller.tenant, wanted, &list.page).await?;
    Ok(list.answer(rows, total))
}

/// Which version.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Version {
    /// Its number; the current one where it is left out.
    version: Option<i32>,
}

/// One version of an object's mapping.
#[utoipa::path(get, path = "/api/v1/dcl/mappings/{connection}/{object}", tag = "mappings",
    operation_id = "mappings.read", params(ObjectPath, Version),
    security(("bearer" = ["read"])), responses((status = 200, body = StoredMapping)))]
async fn one(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(path): Path<ObjectPath>,
    Query(Version { version }): Query<Version>,
) -> Result<Json<StoredMapping>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let found = mappings::find(&mut tx, caller.tenant, object.key(), version).await?;
    Ok(Json(found.ok_or(NO_MAPPING)?))
}

list_body! {
    /// One page of the versions of a mapping, the newest first.
    MappingVersions { versions: [StoredMapping] }
}

/// The versions of an object's mapping, the newest first; it is the one in force.
#[utoipa::path(get, path = "/api/v1/dcl/mappings/{connection}/{object}/versions", tag = "mappings",
    operation_id = "mappings.versions", params(ObjectPath, List<StoredMapping>),
    security(("bearer" = ["read"])), responses((status = 200, body = MappingVersions)))]
async fn versions(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(path): Path<ObjectPath>,
    list: List<StoredMapping>,
) -> Result<Json<MappingVersions>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let total = mappings::count_versions(&mut tx, caller.tenant, object.key()).await?;
    let page = &list.page;
    let rows = mappings::list_versions(&mut tx, caller.tenant, object.key(), page).await?;
    Ok(list.answer(rows, total))
}

/// Which versions to compare.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Versions {
    from: i32,
    to: i32,
}

/// What differs between two versions of a mapping.
#[derive(Serialize, ToSchema)]
pub(super) struct MappingDiff {
    from: i32,
    to: i32,
    /// The entity of each, where it differs.
    entity: Option<EntityChange>,
    /// The fields that differ, in the order of the canonical fields' names.
    fields: Vec<FieldChange>,
}

#[derive(Serialize, ToSchema)]
struct EntityChange {
    before: String,
    after: String,
}

/// How the mapping of one canonical field differs.
#[derive(Serialize, ToSchema)]
struct FieldChange {
    target: String,
    /// How it came about; null where it was not mapped.
    before: Option<FieldMapping>,
    /// How it comes about; null where it is not mapped.
    after: Option<FieldMapping>,
}

/// The difference between two versions of an object's mapping.
#[utoipa::path(get, path = "/api/v1/dcl/mappings/{connection}/{object}/diff", tag = "mappings",
    operation_id = "mappings.diff", params(ObjectPath, Versions),
    security(("bearer" = ["read"])), responses((status = 200, body = MappingDiff)))]
async fn diff(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(path): Path<ObjectPath>,
    Query(Versions { from, to }): Query<Versions>,
) -> Result<Json<MappingDiff>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let mut found = Vec::new();
    for version in [from, to] {
        let mapping = mappings::find(&mut tx, caller.tenant, object.key(), Some(version)).await?;
        found.push(
            mapping
                .ok_or(Error::NotFound { what: "version" })?
                .mapping
                .0,
        );
    }
    Ok(Json(MappingDiff {
        from,
        to,
        entity: (found[0].entity != found[1].entity).then(|| EntityChange {
            before: found[0].entity.clone(),
            after: found[1].entity.clone(),
        }),
        fields: changes(&found[0], &found[1]),
    }))
}

fn changes(before: &Mapping, after: &Mapping) -> Vec<FieldChange> {
    let of = |mapping: &Mapping, target: &str| {
        let field = mapping.fields.iter().find(|it| it.target == target);
        field.cloned()
    };
    let both = before.fields.iter().chain(&after.fields);
    let targets: std::collections::BTreeSet<_> = both.map(|it| it.target.as_str()).collect();
    let change = |target: &str| FieldChange {
        target: target.to_owned(),
        before: of(before, target),
        after: of(after, target),
    };
    let all = targets.into_iter().map(change);
    all.filter(|it| it.before != it.after).collect()
}
