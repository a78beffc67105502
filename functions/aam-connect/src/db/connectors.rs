//! The original's list of connections, with what happened on each: one statement.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::{ConnectionId, TenantId};

use crate::page::Page;

/// One connection and its latest events.
pub(crate) struct Row {
    pub(crate) id: ConnectionId,
    pub(crate) name: String,
    pub(crate) source_type: String,
    pub(crate) status: String,
    /// Fields of the tenant's own mappings, the newest version of each.
    pub(crate) own_fields: i64,
    /// System and entity of each object that has no mapping of the tenant's own.
    pub(crate) shipped_systems: Vec<String>,
    pub(crate) shipped_entities: Vec<String>,
    pub(crate) last_event_type: Option<String>,
    pub(crate) last_event_at: Option<DateTime<Utc>>,
    pub(crate) has_drift: bool,
    pub(crate) last_sync_status: Option<String>,
    pub(crate) last_sync_records: Option<i64>,
    pub(crate) last_sync_bytes: Option<i64>,
    pub(crate) last_sync_at: Option<DateTime<Utc>>,
    pub(crate) last_discovery_at: Option<DateTime<Utc>>,
}

/// Ordered by name.
pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    page: &Page<String>,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"
        select c.id "id: _", c.name, c.source_type, c.status,
          coalesce(m.own_fields, 0) "own_fields!",
          coalesce(m.shipped_systems, '{}') "shipped_systems!",
          coalesce(m.shipped_entities, '{}') "shipped_entities!",
          case
            when r.started_at is null and d.created_at is null then null
            when r.started_at is null or r.started_at < d.created_at then 'drift_detected'
            when r.status = 'running' then 'sync_running'
            when r.status = 'failed' then 'sync_failed'
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
          select sum(jsonb_array_length(own.document -> 'fields'))::bigint own_fields,
            array_agg(o.system) filter (where own.document is null) shipped_systems,
            array_agg(o.entity) filter (where own.document is null) shipped_entities
          from source_objects o
          left join lateral (
            select document
            from mappings
            where tenant_id = $1 and connection_id = c.id and object = o.object
            order by version desc
            limit 1
          ) own on true
          where o.tenant_id = $1 and o.connection_id = c.id
        ) m on true
        where c.tenant_id = $1 and ($2::text is null or c.name > $2)
        order by c.name
        limit $3
        "#,
        tenant as _,
        page.after,
        page.limit,
    )
    .fetch_all(conn)
    .await
}
