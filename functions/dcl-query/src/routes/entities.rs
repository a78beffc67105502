//! The entities of a tenant: the canonical ones with its custom fields, and its own.

use std::collections::HashSet;

use aam::custom_entities;
use aam::db::custom_entities as db_entities;
use axum::extract::State;
use axum::http::StatusCode;
use dcl::query::View;
use platform::extract::{Json, Path};
use platform::{Admin, Platform, Reader, Result, Routes, db, routes};
use schema::entity::{EntityDeclaration, EntityRef, Field, Kind};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(list, declare))
        .routes(routes!(one, drop_one))
}

/// An entity as this tenant has it.
#[derive(Serialize, ToSchema)]
#[schema(as = EntityDescription)]
pub(super) struct Description {
    /// Its name, as mappings name it: `account`.
    name: String,
    /// The plural, which is its view's name: `accounts`.
    plural: String,
    /// What a record stands for.
    description: String,
    /// The fields that make up a record's id within its source object.
    key: Vec<String>,
    /// Whether the tenant declared it.
    custom: bool,
    /// Its fields, the custom ones last.
    fields: Vec<FieldDescription>,
    /// The JSON Schema of a record as its view shows it.
    schema: serde_json::Value,
}

/// A field of an entity.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldDescription {
    /// Its name.
    name: String,
    /// What its values are.
    #[serde(rename = "type")]
    kind: Kind,
    /// What it means.
    description: String,
    /// The unit of its numbers, where one was named.
    unit: Option<String>,
    /// The only texts that it takes; empty where it takes any.
    #[serde(rename = "enum")]
    words: Vec<String>,
    /// Whether a record without it is quarantined.
    required: bool,
    /// Whether the tenant declared it.
    custom: bool,
    /// Whether the tenant gave filters by it an index.
    indexed: bool,
}

/// All entities.
#[derive(Serialize, ToSchema)]
pub(super) struct Descriptions {
    /// The canonical ones first.
    entities: Vec<Description>,
}

/// The entities that mappings can map to, each with its fields and the JSON Schema of its records:
/// the canonical ones with the custom fields of this tenant, and its own.
#[utoipa::path(get, path = "/api/v1/dcl/entities", tag = "entities",
    operation_id = "entities.list", security(("bearer" = ["read"])),
    responses((status = 200, body = Descriptions)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
) -> Result<Json<Descriptions>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let entities = db_entities::entities(&mut tx, caller.tenant).await?;
    let indexed = indexed(&db_entities::fields(&mut tx, caller.tenant).await?);
    let entities = entities.iter().map(|it| Description::of(it, &indexed));
    Ok(Json(Descriptions {
        entities: entities.collect(),
    }))
}

/// One entity with its fields and the JSON Schema of its records.
#[utoipa::path(get, path = "/api/v1/dcl/entities/{entity}", tag = "entities",
    operation_id = "entities.read",
    params(("entity" = String, Path, description = "Its name.", example = "account")),
    security(("bearer" = ["read"])), responses((status = 200, body = Description)))]
async fn one(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(name): Path<String>,
) -> Result<Json<Description>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    Ok(Json(read(&mut tx, &caller, &name).await?))
}

/// Declares an entity of this tenant's own, with its key and its fields. Objects can be mapped to it
/// from now on, and its view is `/api/v1/dcl/views/{plural}`.
#[utoipa::path(post, path = "/api/v1/dcl/entities", tag = "entities",
    operation_id = "entities.declare", request_body = EntityDeclaration,
    security(("bearer" = ["admin"])),
    responses((status = 201, body = Description, description = "It is declared.")))]
async fn declare(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Json(declared): Json<EntityDeclaration>,
) -> Result<(StatusCode, Json<Description>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    custom_entities::declare_entity(&mut tx, &caller, &declared).await?;
    let description = read(&mut tx, &caller, &declared.kind).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(description)))
}

/// Drops an entity of this tenant's own with its fields. Raw records stay. Refused with 409 while an
/// object is mapped to it.
#[utoipa::path(delete, path = "/api/v1/dcl/entities/{entity}", tag = "entities",
    operation_id = "entities.drop",
    params(("entity" = String, Path, description = "Its name.", example = "ticket")),
    security(("bearer" = ["admin"])), responses((status = 204, description = "It is dropped.")))]
async fn drop_one(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    custom_entities::drop_entity(&mut tx, &caller, &name).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// # Errors
/// [`schema::Error::UnknownName`] where there is no such entity.
async fn read(
    conn: &mut db::Connection,
    caller: &platform::Caller,
    name: &str,
) -> Result<Description> {
    let entities = db_entities::entities(conn, caller.tenant).await?;
    let entity = entities.get(name)?;
    let indexed = indexed(&db_entities::fields(conn, caller.tenant).await?);
    Ok(Description::of(&entity, &indexed))
}

/// What the fields with an index are stored under.
fn indexed(fields: &[db_entities::CustomField]) -> HashSet<i64> {
    let indexed = fields.iter().filter(|it| it.indexed);
    indexed.map(|it| it.stored.id.0).collect()
}

impl Description {
    fn of(entity: &EntityRef, indexed: &HashSet<i64>) -> Description {
        let field = |it: &Field| FieldDescription {
            name: it.name.to_string(),
            kind: it.kind,
            description: it.doc.to_string(),
            unit: it.unit.clone(),
            words: it.words.clone(),
            required: it.required,
            custom: it.custom.is_some(),
            indexed: it.custom.is_some_and(|id| indexed.contains(&id.0)),
        };
        Description {
            name: entity.kind.to_string(),
            plural: entity.plural.to_string(),
            description: entity.doc.to_string(),
            key: entity.key.iter().map(|it| it.to_string()).collect(),
            custom: entity.is_custom,
            fields: entity.fields.iter().map(field).collect(),
            schema: View::of(entity.clone()).json_schema(),
        }
    }
}
