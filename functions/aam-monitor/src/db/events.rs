//! Runs and drifts as one list.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A run, or a drift that one found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Event {
    /// The id of the run or of the drift.
    id: Uuid,
    connection_id: ConnectionId,
    connection_name: String,
    source_type: String,
    /// `sync_running`, `sync_completed`, `sync_partial`, `sync_failed`, `sync_canceled` or `drift_detected`.
    event_type: String,
    /// The run's or the drift's own status.
    status: String,
    /// The source's object.
    object: String,
    started_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    error_message: Option<String>,
    /// Records that were read; null for a drift.
    records: Option<i64>,
}

pub(crate) async fn list(
    conn: &mut Connection,
    tenant: TenantId,
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as!(
        Event,
        r#"
        with latest as (
          (select id, connection_id, object, status, started_at, finished_at, error, rows_read,
            case status when 'running' then 'sync_running' when 'failed' then 'sync_failed'
              when 'canceled' then 'sync_canceled' when 'partial' then 'sync_partial'
              else 'sync_completed' end event_type
          from runs
          where tenant_id = $1
          order by started_at desc
          limit $2)
          union all
          (select id, connection_id, object, status, created_at, resolved_at, null, null,
            'drift_detected'
          from drift_events
          where tenant_id = $1
          order by created_at desc
          limit $2)
        )
        select l.id "id!", l.connection_id "connection_id!: _", c.name connection_name,
          c.source_type, l.event_type "event_type!", l.status "status!", l.object "object!",
          l.started_at "started_at!", l.finished_at completed_at, l.error error_message,
          l.rows_read records
        from latest l
        join connections c on c.tenant_id = $1 and c.id = l.connection_id
        order by l.started_at desc, l.id desc
        limit $2
        "#,
        tenant as _,
        limit,
    )
    .fetch_all(conn)
    .await
}
