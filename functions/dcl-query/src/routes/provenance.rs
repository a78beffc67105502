//! Where one record of a view came from.

use aam::db::custom_entities;
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcl::db as dcl_db;
use dcl::db::provenance::Received;
use dcl::provenance::{FieldOrigin, fields};
use dcl::query::{Value, View};
use platform::extract::{Json, Path, Query};
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::{ConnectionId, Error, RunId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::openapi::{Record, ViewName};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(read))
}

/// Which record.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Origin {
    /// The record's `source_connection_id`.
    connection_id: ConnectionId,
    /// The record's `source_object`.
    object: String,
    /// The record's `source_id`.
    source_id: String,
}

/// A record and where it came from.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordProvenance)]
struct Answer {
    /// Always true: failures are problems.
    success: bool,
    /// The record, as its view shows it.
    #[schema(value_type = Record)]
    data: Box<RawValue>,
    /// Where it came from; null where the payload is no longer stored.
    provenance: Option<Provenance>,
}

/// Where a record came from.
#[derive(Serialize, ToSchema)]
struct Provenance {
    connection: Connection,
    /// The source object.
    object: String,
    /// The record's id within it.
    source_id: String,
    run: Run,
    /// When it was received.
    received_at: DateTime<Utc>,
    /// The source's own time of the record.
    source_version: Option<DateTime<Utc>>,
    /// SHA-256 of the content, hexadecimal.
    content_hash: String,
    /// The version of the mapping that it was read with.
    mapping_version: i32,
    /// Each field that the mapping names, and what it was read from.
    fields: Vec<FieldOrigin>,
    /// The record as received.
    #[schema(value_type = serde_json::Value)]
    payload: Box<RawValue>,
}

/// The connection that a record came through.
#[derive(Serialize, ToSchema)]
#[schema(as = ProvenanceConnection)]
struct Connection {
    id: ConnectionId,
    name: String,
    source_type: String,
}

/// The run that a record came with.
#[derive(Serialize, ToSchema)]
#[schema(as = ProvenanceRun)]
struct Run {
    id: RunId,
    /// `upload`, `events`, `replay` or `sync`; null where the run is no longer known.
    kind: Option<String>,
    /// The file that was uploaded.
    file: Option<String>,
    started_at: Option<DateTime<Utc>>,
}

/// One record of a view, and where each of its fields came from.
#[utoipa::path(get, path = "/api/v1/dcl/views/{view}/record", tag = "views",
    security(("bearer" = ["read"])),
    params(("view" = inline(ViewName), Path), Origin),
    operation_id = "views.record", responses(
        (status = 200, body = Answer, description = "The record and where it came from."),
        (status = 404, description = "No such view or record."),
        (status = 422, description = "Parameters are wrong, each named in `errors`."),
    ))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(name): Path<String>,
    Query(origin): Query<Origin>,
) -> Result<Json<Answer>> {
    let key = key(&origin)?;
    let tenant = caller.tenant;
    let Origin {
        connection_id,
        object,
        source_id,
    } = origin;

    let mut tx = db::read(&platform.db, tenant).await?;
    let entities = custom_entities::entities(&mut tx, tenant).await?;
    let view = View::get(&entities, &name)?;
    let record = dcl_db::views::find(&mut tx, tenant, &view, &key).await?;
    let found = dcl_db::provenance::find(&mut tx, tenant, connection_id, &object, &source_id);
    let received = found.await?;

    let record = record.ok_or(Error::NotFound { what: "record" })?;
    let provenance = received
        .map(|it| provenance(connection_id, object, source_id, it))
        .transpose()?;
    Ok(Json(Answer {
        success: true,
        data: serde_json::from_slice(&record).map_err(internal)?,
        provenance,
    }))
}

fn key(origin: &Origin) -> Result<[Value; View::KEY_COLUMNS]> {
    let connection = origin.connection_id.to_string();
    let names = ["?connection_id", "?object", "?source_id"];
    let read = |index: usize, text: &str| {
        Value::parse(View::KEY[index].kind, text).map_err(|it| Error::invalid(names[index], it))
    };
    Ok([
        read(0, &connection)?,
        read(1, &origin.object)?,
        read(2, &origin.source_id)?,
    ])
}

fn provenance(
    connection: ConnectionId,
    object: String,
    source_id: String,
    received: Received,
) -> Result<Provenance> {
    let fields = received
        .mapping
        .map_or_else(Vec::new, |it| fields(it.0, &received.payload));
    let hash = received.content_hash.iter();
    Ok(Provenance {
        connection: Connection {
            id: connection,
            name: received.connection_name,
            source_type: received.source_type,
        },
        object,
        source_id,
        run: Run {
            id: received.run_id,
            kind: received.run_kind,
            file: received.run_file,
            started_at: received.run_started_at,
        },
        received_at: received.received_at,
        source_version: received.source_version,
        content_hash: hash.map(|it| format!("{it:02x}")).collect(),
        mapping_version: received.mapping_version,
        fields,
        payload: RawValue::from_string(received.payload).map_err(internal)?,
    })
}

fn internal(error: serde_json::Error) -> Error {
    Error::Internal(error.into())
}
