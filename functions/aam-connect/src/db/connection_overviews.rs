//! The original's list of connections, with what happened on each: one statement.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::{Keyset, Page};
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

/// A connection and its latest event.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionOverview {
    id: ConnectionId,
    pub(crate) name: String,
    source_type: String,
    status: String,
    /// Fields that are mapped, over all objects seen.
    mapping_count: i64,
    /// `sync_running`, `sync_completed`, `sync_partial`, `sync_failed`, `sync_canceled` or `drift_detected`.
    last_event_type: Option<String>,
    last_event_at: Option<DateTime<Utc>>,
    /// Whether a drift is open.
    has_drift: bool,
    last_sync_status: Option<String>,
    last_sync_records: Option<i64>,
    last_sync_bytes: Option<i64>,
    last_sync_at: Option<DateTime<Utc>>,
    /// When the latest schema snapshot was stored.
    last_discovery_at: Option<DateTime<Utc>>,
}

impl Keyset for ConnectionOverview {
    type Key = String;

    fn keyset(&self) -> String {
        self.name.clone()
    }
}

/// Ordered by name.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    page: &Page<String>,
) -> sqlx::Result<Vec<ConnectionOverview>> {
    sqlx::query_as!(
        ConnectionOverview,
        r#"
        select c.id "id: _", c.name, c.source_type, c.status,
          coalesce(m.fields, 0) "mapping_count!",
          case
            when r.started_at is null and d.created_at is null then null
            when r.started_at is null or r.started_at < d.created_at then 'drift_detected'
            when r.status <> 'success' then 'sync_' || r.status
            else 'sync_completed'
          end last_event_type,
          greatest(r.started_at, d.created_at) last_event_at,
          coalesce(d.any_open, false) "has_drift!",
          r.status "last_sync_status?", r.rows_read "last_sync_records?",
          r.bytes "last_sync_bytes?", coalesce(r.finished_at, r.started_at) last_sync_at,
          s.created_at "last_discovery_at?"
        from connections c
        left join lateral (
          select status, rows_read, bytes, started_at, finished_at
          from runs
          where tenant_id = $1 and connection_id = c.id and kind <> 'replay'
          order by started_at desc, id desc
          limit 1
        ) r on true
        left join lateral (
          select max(created_at) created_at, bool_or(status = 'open') any_open
          from drift_events
          where tenant_id = $1 and connection_id = c.id
        ) d on true
        left join lateral (
          select max(created_at) created_at
          from schema_snapshots
          where tenant_id = $1 and connection_id = c.id
        ) s on true
        left join lateral (
          select sum(jsonb_array_length(document -> 'fields'))::bigint fields
          from (
            select distinct on (object) document
            from mappings
            where tenant_id = $1 and connection_id = c.id
            order by object, version desc
          ) newest
        ) m on true
        where c.tenant_id = $1 and ($2::text is null or c.name > $2)
        order by c.name
        limit $3
        "#,
        tenant as _,
        page.after,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}
