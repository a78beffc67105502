//! Mappings field by field, as the source names its fields.

use aam::db::mappings;
use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::extract::{Json, Path};
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::Error;
use schema::mapping::Transform;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{NO_MAPPING, NamedObject, ObjectPath};

pub(super) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(read))
}

/// Which field a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct FieldPath {
    /// The connection's id or name.
    #[param(example = "Files")]
    connection: String,
    /// The object, such as `hubspot.account`.
    #[param(example = "people_crm")]
    object: String,
    /// The source field: a path into the record.
    #[param(example = "E-Mail")]
    field: String,
}

/// What one field of a source becomes.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceFieldMapping {
    /// The connection's name.
    connector_id: String,
    /// The object.
    source_table: String,
    /// The field: a path into the record.
    source_field: String,
    /// The entity.
    canonical_entity: String,
    /// The canonical field.
    canonical_field: String,
    /// `direct` where the value is taken as it is, `transform` otherwise.
    mapping_type: &'static str,
    /// What is done to the value, in order.
    transforms: Vec<Transform>,
    /// The version of the object's mapping.
    version: i32,
    /// When that version was made.
    updated_at: DateTime<Utc>,
}

/// What one field of a source becomes: the first canonical field that takes it.
#[utoipa::path(get, path = "/api/v1/dcl/mappings/{connection}/{object}/{field}",
    tag = "mappings", operation_id = "mappings.field", params(FieldPath),
    security(("bearer" = ["read"])), responses((status = 200, body = SourceFieldMapping)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(path): Path<FieldPath>,
) -> Result<Json<SourceFieldMapping>> {
    let field = path.field;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let (connection, object) = (path.connection, path.object);
    let path = ObjectPath { connection, object };
    let object = NamedObject::find(&mut tx, caller.tenant, path).await?;
    let found = mappings::find(&mut tx, caller.tenant, object.key(), None).await?;
    let found = found.ok_or(NO_MAPPING)?;
    let mapping = found.mapping.0;
    let row = mapping
        .fields
        .into_iter()
        .find(|it| it.sources.contains(&field));
    let row = row.ok_or(Error::NotFound {
        what: "mapping of this field",
    })?;
    Ok(Json(SourceFieldMapping {
        connector_id: object.connection_name,
        source_table: object.name,
        source_field: field,
        canonical_entity: mapping.entity,
        canonical_field: row.target,
        mapping_type: match row.transforms.is_empty() {
            true => "direct",
            false => "transform",
        },
        transforms: row.transforms,
        version: found.version,
        updated_at: found.created_at,
    }))
}
