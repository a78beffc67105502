//! Where one record came from.

use chrono::{DateTime, Utc};
use schema::mapping::Mapping;
use schema::{ConnectionId, RunId, TenantId};
use sqlx::PgConnection;
use sqlx::types::Json;

/// A record as its source sent it, and what brought it here.
#[derive(Debug)]
pub struct Received {
    /// The connection's name.
    pub connection_name: String,
    /// The kind of system behind the connection.
    pub source_type: String,
    /// JSON text, to the letter.
    pub payload: String,
    /// SHA-256 of the content.
    pub content_hash: Vec<u8>,
    /// The source's own time of the record.
    pub source_version: Option<DateTime<Utc>>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The mapping that it was read with.
    pub mapping_version: i32,
    /// That mapping.
    pub mapping: Option<Json<Mapping>>,
    /// The run that it came with.
    pub run_id: RunId,
    /// What kind of run that was.
    pub run_kind: Option<String>,
    /// The file of the run.
    pub run_file: Option<String>,
    /// When the run began.
    pub run_started_at: Option<DateTime<Utc>>,
}

/// What is stored of a record as received.
pub async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
    source_id: &str,
) -> sqlx::Result<Option<Received>> {
    sqlx::query_as!(
        Received,
        r#"
        select
          c.name connection_name, c.source_type,
          w.payload, w.content_hash, w.source_version, w.received_at,
          w.mapping_version, m.document "mapping?: _",
          w.run_id "run_id: _", r.kind "run_kind?", r.file run_file,
          r.started_at "run_started_at?"
        from raw_records w
        join connections c on c.tenant_id = $1 and c.id = w.connection_id
        left join mappings m
          on m.tenant_id = $1 and m.connection_id = w.connection_id and m.object = w.object
          and m.version = w.mapping_version
        left join runs r on r.tenant_id = $1 and r.id = w.run_id
        where w.tenant_id = $1 and w.connection_id = $2 and w.object = $3 and w.source_id = $4
        "#,
        tenant as _,
        connection as _,
        object,
        source_id,
    )
    .fetch_optional(conn)
    .await
}
