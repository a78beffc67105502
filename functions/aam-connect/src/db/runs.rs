//! Runs: passages of records from a source into the platform.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::{CreatedAtKey, Keyset, Page};
use schema::run::FirstRejection;
use schema::{ConnectionId, RunId, TenantId};
use serde::Serialize;
use sqlx::types::Json;
use utoipa::ToSchema;

/// One run. `rows_read` is the sum of the counts after it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    connection_id: ConnectionId,
    /// The source's object: `system.entity` for files and events.
    object: String,
    /// `upload`, `events`, `replay` or `sync`.
    kind: String,
    /// The name of the file, where it was a file.
    file: Option<String>,
    /// `running`, `success`, `partial` (some records were quarantined), `failed` (all were, or it
    /// ended before its end) or `canceled`.
    status: String,
    rows_read: i64,
    written: i64,
    unchanged: i64,
    stale: i64,
    duplicate: i64,
    deleted: i64,
    quarantined: i64,
    /// How many of the quarantined rows have the record id of another row.
    collisions: i64,
    bytes: i64,
    error: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    /// The cursor value up to which the source was read.
    cursor: Option<String>,
    /// What the run has not done, and why.
    warning: Option<String>,
    #[schema(value_type = Option<FirstRejection>)]
    first_rejection: Option<Json<FirstRejection>>,
}

impl Keyset for Run {
    type Key = CreatedAtKey;

    fn keyset(&self) -> CreatedAtKey {
        (self.started_at, self.id.0)
    }
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    page: &Page,
) -> sqlx::Result<Vec<Run>> {
    let (started_at, id) = page.after.unzip();
    sqlx::query_as!(
        Run,
        r#"
        select id "id: _", connection_id "connection_id: _", object, kind, file, status, rows_read,
          written, unchanged, stale, duplicate, deleted, quarantined, collisions, bytes, error, started_at,
          finished_at,
          (extract(epoch from finished_at - started_at) * 1000)::bigint duration_ms, cursor, warning,
          first_rejection "first_rejection: _"
        from runs
        where tenant_id = $1 and connection_id = $2
          and ($3::timestamptz is null or (started_at, id) < ($3, $4::uuid))
        order by started_at desc, id desc
        limit $5
        "#,
        tenant as _,
        connection as _,
        started_at,
        id,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn count(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from runs
        where tenant_id = $1 and connection_id = $2
        "#,
        tenant as _,
        connection as _,
    )
    .fetch_one(conn)
    .await
}

/// One uploaded file and its latest run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct File {
    filename: String,
    entity: String,
    system: String,
    object: String,
    connection_id: ConnectionId,
    last_run_id: RunId,
    last_status: String,
    last_rows: i64,
    last_at: DateTime<Utc>,
}

/// The uploaded files by name, each with its latest run; at most 1000.
pub(crate) async fn list_files(
    conn: &mut Conn,
    tenant: TenantId,
    connection: Option<ConnectionId>,
) -> sqlx::Result<Vec<File>> {
    sqlx::query_as!(
        File,
        r#"
        select distinct on (r.file, r.connection_id)
          r.file "filename!", o.entity, o.system, r.object, r.connection_id "connection_id: _",
          r.id "last_run_id: _", r.status last_status, r.rows_read last_rows, r.started_at last_at
        from runs r
        join source_objects o using (tenant_id, connection_id, object)
        where r.tenant_id = $1 and ($2::uuid is null or r.connection_id = $2)
          and r.file is not null
        order by r.file, r.connection_id, r.started_at desc
        limit 1000
        "#,
        tenant as _,
        connection as _,
    )
    .fetch_all(conn)
    .await
}
