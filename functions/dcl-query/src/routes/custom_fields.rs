//! Custom fields: what a tenant adds to an entity.

use aam::custom_entities;
use aam::db::custom_entities::{self as db_fields, CustomField};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use platform::extract::{Json, Path};
use platform::{Admin, JobAccepted, Platform, Reader, Result, Routes, db, routes};
use schema::entity::FieldDeclaration;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(declare))
        .routes(routes!(one, change, drop_one))
        .routes(routes!(index, unindex))
}

/// Which field a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct FieldPath {
    /// The entity's name: `account`.
    #[param(example = "account")]
    entity: String,
    /// The field's name.
    #[param(example = "tier")]
    field: String,
}

/// A custom field.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomField)]
pub(super) struct Declared {
    /// The entity that it is a field of.
    entity: String,
    #[serde(flatten)]
    field: FieldDeclaration,
    /// Whether filters by it have an index.
    indexed: bool,
    /// When it was declared.
    created_at: DateTime<Utc>,
    /// Who declared it.
    created_by: String,
}

/// All custom fields.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomFields)]
pub(super) struct AllDeclared {
    /// In the order in which they were declared.
    fields: Vec<Declared>,
}

/// What a field shall mean from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomFieldChange)]
#[schema(examples(json!({"enum": ["gold", "silver", "bronze"]})))]
struct Change {
    /// What it means; stays as it is where it is left out.
    description: Option<String>,
    /// The unit of its numbers; stays as it is where it is left out, `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    unit: Option<Option<String>>,
    /// The only texts that it takes; stays as it is where it is left out, `[]` or `null` lets it take
    /// any.
    #[serde(default, rename = "enum", deserialize_with = "given_words")]
    words: Option<Vec<String>>,
}

/// A field that was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomFieldChanged)]
pub(super) struct Changed {
    /// The field as it is now.
    field: Declared,
    /// The jobs that read again what is stored, where the enum changed: one per object.
    replays: Vec<JobAccepted>,
}

/// The fields that this tenant added to entities, those of its own entities among them.
#[utoipa::path(get, path = "/api/v1/dcl/fields", tag = "entities",
    operation_id = "fields.list", security(("bearer" = ["read"])),
    responses((status = 200, body = AllDeclared)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
) -> Result<Json<AllDeclared>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let fields = db_fields::fields(&mut tx, caller.tenant).await?;
    Ok(Json(AllDeclared {
        fields: fields.into_iter().map(Declared::from).collect(),
    }))
}

/// Adds a field to an entity. Mappings can name it as a target from now on; its values are checked
/// as they come in, and its view shows it, filters by it and sorts by it.
#[utoipa::path(post, path = "/api/v1/dcl/fields/{entity}", tag = "entities",
    operation_id = "fields.declare",
    params(("entity" = String, Path, description = "The entity's name: `account`.", example = "account")),
    request_body = FieldDeclaration, security(("bearer" = ["admin"])),
    responses((status = 201, body = Declared, description = "It is declared.")))]
async fn declare(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(entity): Path<String>,
    Json(field): Json<FieldDeclaration>,
) -> Result<(StatusCode, Json<Declared>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    custom_entities::declare_field(&mut tx, &caller, (&entity, &field)).await?;
    let path = FieldPath {
        entity,
        field: field.name,
    };
    let declared = read(&mut tx, &caller, &path).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(declared.into())))
}

/// One custom field.
#[utoipa::path(get, path = "/api/v1/dcl/fields/{entity}/{field}", tag = "entities",
    operation_id = "fields.read", params(FieldPath), security(("bearer" = ["read"])),
    responses((status = 200, body = Declared)))]
async fn one(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(path): Path<FieldPath>,
) -> Result<Json<Declared>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    Ok(Json(read(&mut tx, &caller, &path).await?.into()))
}

/// Changes what a custom field means, and which texts it takes. Its name and its type stay. Where the
/// enum changes, what is stored is read again by the jobs that the answer names.
#[utoipa::path(patch, path = "/api/v1/dcl/fields/{entity}/{field}", tag = "entities",
    operation_id = "fields.change", params(FieldPath), request_body = Change,
    security(("bearer" = ["admin"])), responses((status = 200, body = Changed)))]
async fn change(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<FieldPath>,
    Json(change): Json<Change>,
) -> Result<Json<Changed>> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let before = read(&mut tx, &caller, &path).await?.stored.field;
    let changed = FieldDeclaration {
        description: change.description.unwrap_or(before.description),
        unit: change.unit.unwrap_or(before.unit),
        words: change.words.unwrap_or(before.words),
        ..before
    };
    let jobs = custom_entities::change_field(&mut tx, &caller, &path.entity, &changed).await?;
    let field = read(&mut tx, &caller, &path).await?.into();
    tx.commit().await?;
    for job in &jobs {
        job.announce(&platform).await;
    }
    Ok(Json(Changed {
        field,
        replays: jobs,
    }))
}

/// Drops a custom field. Its values leave the views, and raw records stay as they are. Refused with
/// 409 while a mapping in force names it.
#[utoipa::path(delete, path = "/api/v1/dcl/fields/{entity}/{field}", tag = "entities",
    operation_id = "fields.drop", params(FieldPath), security(("bearer" = ["admin"])),
    responses((status = 204, description = "It is dropped.")))]
async fn drop_one(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<FieldPath>,
) -> Result<StatusCode> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    custom_entities::drop_field(&mut tx, &caller, (&path.entity, &path.field)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives filters by a custom field an index: ten fields of a tenant may have one. Writes to the
/// entity wait while it is built.
#[utoipa::path(put, path = "/api/v1/dcl/fields/{entity}/{field}/index", tag = "entities",
    operation_id = "fields.index", params(FieldPath), security(("bearer" = ["admin"])),
    responses((status = 200, body = Declared, description = "It has an index.")))]
async fn index(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<FieldPath>,
) -> Result<Json<Declared>> {
    set_indexed(&platform, &caller, &path, true).await
}

/// Takes the index of a custom field away.
#[utoipa::path(delete, path = "/api/v1/dcl/fields/{entity}/{field}/index", tag = "entities",
    operation_id = "fields.unindex", params(FieldPath), security(("bearer" = ["admin"])),
    responses((status = 200, body = Declared, description = "It has none.")))]
async fn unindex(
    State(platform): State<Platform>,
    Admin(caller): Admin,
    Path(path): Path<FieldPath>,
) -> Result<Json<Declared>> {
    set_indexed(&platform, &caller, &path, false).await
}

async fn set_indexed(
    platform: &Platform,
    caller: &platform::Caller,
    path: &FieldPath,
    indexed: bool,
) -> Result<Json<Declared>> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let field = (path.entity.as_str(), path.field.as_str());
    custom_entities::set_indexed(&mut tx, caller, field, indexed).await?;
    let declared = read(&mut tx, caller, path).await?;
    tx.commit().await?;
    Ok(Json(declared.into()))
}

async fn read(
    conn: &mut db::Connection,
    caller: &platform::Caller,
    path: &FieldPath,
) -> Result<CustomField> {
    custom_entities::find_field(conn, caller.tenant, (&path.entity, &path.field)).await
}

/// Tells a member that is `null` from one that is left out.
fn given<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// No words where a member is `null`: any text.
fn given_words<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Vec<String>>, D::Error> {
    Option::deserialize(from).map(|it: Option<Vec<String>>| Some(it.unwrap_or_default()))
}

impl From<CustomField> for Declared {
    fn from(it: CustomField) -> Declared {
        Declared {
            entity: it.stored.entity,
            field: it.stored.field,
            indexed: it.indexed,
            created_at: it.created_at,
            created_by: it.created_by,
        }
    }
}
