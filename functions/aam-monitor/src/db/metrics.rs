//! Counts over connections, runs and drifts.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use schema::TenantId;
use serde::Serialize;
use utoipa::ToSchema;

/// Counts of one tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct Figures {
    total_connections: i64,
    active_connections: i64,
    /// Drifts detected in the last 24 hours that are still open.
    active_drift_detections_24h: i64,
    /// Drifts repaired in the last 24 hours.
    successful_repairs_24h: i64,
    /// Open drifts of the last 24 hours that affect a mapped field.
    manual_reviews_required_24h: i64,
    /// Mean confidence of the repairs of the last 24 hours, 0 to 1.
    average_confidence_score: f64,
    /// Mean time from detection to repair over the last 24 hours, in seconds.
    average_repair_time_seconds: f64,
    /// Records read in the last 24 hours.
    records_read_24h: i64,
    /// Records written in the last 24 hours.
    records_written_24h: i64,
    /// Records in quarantine.
    quarantined_records: i64,
}

pub(crate) async fn figures(
    conn: &mut Connection,
    tenant: TenantId,
    since: DateTime<Utc>,
) -> sqlx::Result<Figures> {
    sqlx::query_as!(
        Figures,
        r#"
        with drift as (
          select
            count(*) filter (where status = 'open' and created_at >= $2) active,
            count(*) filter (where status = 'repaired' and resolved_at >= $2) repaired,
            count(*) filter (where status = 'open' and created_at >= $2
              and severity in ('high', 'critical')) review,
            avg(confidence) filter (where status = 'repaired' and resolved_at >= $2) confidence,
            avg(extract(epoch from resolved_at - created_at)::float8)
              filter (where status = 'repaired' and resolved_at >= $2) seconds
          from drift_events
          where tenant_id = $1
        ), run as (
          select sum(rows_read)::bigint rows_read, sum(written)::bigint written
          from runs
          where tenant_id = $1 and started_at >= $2
        ), link as (
          select count(*) total, count(*) filter (where status = 'ACTIVE') active
          from connections
          where tenant_id = $1
        )
        select link.total "total_connections!", link.active "active_connections!",
          drift.active "active_drift_detections_24h!", drift.repaired "successful_repairs_24h!",
          drift.review "manual_reviews_required_24h!",
          coalesce(drift.confidence, 0) "average_confidence_score!",
          coalesce(drift.seconds, 0) "average_repair_time_seconds!",
          coalesce(run.rows_read, 0) "records_read_24h!",
          coalesce(run.written, 0) "records_written_24h!",
          (select count(*) from quarantined_records where tenant_id = $1) "quarantined_records!"
        from drift, run, link
        "#,
        tenant as _,
        since,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn drift_by_source(
    conn: &mut Connection,
    tenant: TenantId,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"
        select c.source_type, count(d.id) "drifts!"
        from connections c
        left join drift_events d
          on d.tenant_id = c.tenant_id and d.connection_id = c.id and d.created_at >= $2
        where c.tenant_id = $1
        group by c.source_type
        "#,
        tenant as _,
        since,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|it| (it.source_type, it.drifts))
        .collect())
}
