//! Records that were kept aside, for reading.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::{CreatedAtKey, Keyset, Page};
use schema::{ConnectionId, RunId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One record that could not be mapped.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Quarantined {
    pub(crate) id: Uuid,
    object: String,
    /// Its line in the file, from 1.
    line: Option<i64>,
    /// The canonical field that is wrong; null where the whole record is.
    field: Option<String>,
    reason: String,
    /// The record as it was received.
    payload: String,
    /// The run that saw it last.
    run_id: RunId,
    pub(crate) created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
}

impl Keyset for Quarantined {
    type Key = CreatedAtKey;

    fn keyset(&self) -> CreatedAtKey {
        (self.created_at, self.id)
    }
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    object: Option<&str>,
    page: &Page,
) -> sqlx::Result<Vec<Quarantined>> {
    let (created_at, id) = page.after.unzip();
    sqlx::query_as!(
        Quarantined,
        r#"
        select id, object, line, field, reason, payload, run_id "run_id: _", created_at,
          last_seen_at
        from quarantined_records
        where tenant_id = $1 and connection_id = $2
          and ($3::text is null or object = $3)
          and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
        order by created_at desc, id desc
        limit $6
        "#,
        tenant as _,
        connection as _,
        object,
        created_at,
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
    object: Option<&str>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from quarantined_records
        where tenant_id = $1 and connection_id = $2 and ($3::text is null or object = $3)
        "#,
        tenant as _,
        connection as _,
        object,
    )
    .fetch_one(conn)
    .await
}
