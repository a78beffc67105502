//! Files: uploading them, and what is known of them.

use axum::extract::{DefaultBodyLimit, Request, State};
use platform::extract::{Json, Query};
use platform::{Ingester, Platform, Reader, Result, Routes, db, routes, trace};
use schema::{ConnectionId, Error, TenantId};
use serde::{Deserialize, Serialize};
use sources::Connector;
use sources::filesource::{Config, FileSource};
use utoipa::{IntoParams, ToSchema};

use super::connections;
use crate::db::connections::{Connection, Wanted, count, find_some_of_type};
use crate::db::runs::{self, File};
use crate::upload::{Parts, Upload, UploadReport};

/// The largest body of an upload, in bytes. It streams, so this bounds time and not memory.
const MAX_UPLOAD: usize = 2 << 30;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD))
        .routes(routes!(discover))
        .routes(routes!(status))
}

/// Which connection.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Target {
    /// A connection of the type `filesource`; where the tenant has only one, it may be left out.
    connection_id: Option<ConnectionId>,
}

/// One or more files, each a part with any name. What is said of them comes before them.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read as a stream and only described here")]
struct Files {
    /// What the rows become, such as `contact`; left out, their file's name says it, or nobody does.
    #[schema(example = "")]
    entity: Option<String>,
    /// The system that the files were exported from, such as `hubspot`.
    #[schema(example = "")]
    system: Option<String>,
    /// `true`: what is proposed for a file that no mapping fits is accepted at once, unless it leaves
    /// a question open. Only an admin may send it.
    accept: Option<bool>,
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

/// Every file that was uploaded.
#[derive(Serialize, ToSchema)]
struct Discovery {
    success: bool,
    files_count: usize,
    files: Vec<File>,
}

/// What files can be uploaded, and how many were.
#[derive(Serialize, ToSchema)]
#[schema(as = FileSourceStatus)]
struct Status {
    supported_entities: Vec<&'static str>,
    /// Systems with a shipped mapping. The columns of other systems' files must have the names of
    /// the entity's fields.
    supported_systems: &'static [&'static str],
    connections: i64,
    files: usize,
}

/// Uploads files (`.csv`, `.tsv`, `.txt`) of any name.
///
/// A name such as accounts_hubspot.csv says what the rows become and which system's mapping reads
/// them; so do the fields `entity` and `system`. Where no mapping fits, the rows are kept as they are,
/// `entity` is null and `proposal` says where to read what the platform takes them for.
///
/// Encoding, delimiter and types are detected. A row that cannot be read or mapped is quarantined
/// on its own; a file that cannot be read has an `error`, and the other files are ingested. A
/// record that is already stored counts as unchanged, so an upload can be repeated.
#[utoipa::path(post, path = "/api/v1/filesource/upload", tag = "connect", params(Target),
    operation_id = "filesource.upload",
    request_body(content = Files, content_type = "multipart/form-data"),
    security(("bearer" = ["ingest"])), responses((status = 200, body = UploadReport)))]
async fn upload(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Query(target): Query<Target>,
    request: Request,
) -> Result<Json<UploadReport>> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let connection = resolve(&mut tx, caller.tenant, target.connection_id).await?;
    tx.commit().await?;
    let body = Parts::of(request).await?;
    let upload = Upload {
        platform,
        caller,
        connection: connection.id,
        config: Config::read(&connection.connector_config)?,
    };
    // A task of its own: a client that goes away ends the handler, and the run must be marked.
    let task = tokio::spawn(trace::carry(upload.take(body)));
    let report = task.await.map_err(|err| Error::Internal(err.into()))??;
    Ok(Json(report))
}

/// The files uploaded so far, by name, each with its latest run.
#[utoipa::path(get, path = "/api/v1/filesource/discover", tag = "connect", params(Target),
    operation_id = "filesource.discover",
    security(("bearer" = ["read"])), responses((status = 200, body = Discovery)))]
async fn discover(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(target): Query<Target>,
) -> Result<Json<Discovery>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    if let Some(id) = target.connection_id {
        connections::get(&mut tx, caller.tenant, id).await?;
    }
    let files = runs::list_files(&mut tx, caller.tenant, target.connection_id).await?;
    Ok(Json(Discovery {
        success: true,
        files_count: files.len(),
        files,
    }))
}

/// The entities and systems that files can be of.
#[utoipa::path(get, path = "/api/v1/filesource/status", tag = "connect",
    operation_id = "filesource.status",
    security(("bearer" = ["read"])), responses((status = 200, body = Status)))]
async fn status(State(platform): State<Platform>, Reader(caller): Reader) -> Result<Json<Status>> {
    let wanted = Wanted {
        source_type: Some(FileSource.name()),
        status: None,
    };
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let connections = count(&mut tx, caller.tenant, &wanted).await?;
    let files = runs::list_files(&mut tx, caller.tenant, None).await?.len();
    Ok(Json(Status {
        supported_entities: FileSource
            .entities()
            .iter()
            .copied()
            .map(|it| &*it.kind)
            .collect(),
        supported_systems: &mapping::shipped::SYSTEMS,
        connections,
        files,
    }))
}

/// The file source that a request means.
pub(super) async fn resolve(
    conn: &mut db::Connection,
    tenant: TenantId,
    id: Option<ConnectionId>,
) -> Result<Connection> {
    let ask = |detail: &str| Error::invalid("?connection_id", detail);
    let id = match id {
        Some(id) => id,
        None => match find_some_of_type(conn, tenant, FileSource.name()).await?[..] {
            [id] => id,
            [] => {
                return Err(ask(
                    "there is no file source yet: create a connection of the type `filesource`",
                )
                .into());
            }
            _ => return Err(ask("there are several file sources: give the id of one").into()),
        },
    };
    let connection = connections::get(conn, tenant, id).await?;
    if connection.source_type != FileSource.name() {
        return Err(ask("is not a file source").into());
    }
    Ok(connection)
}
