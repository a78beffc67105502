//! What is wrong in a tenant.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use schema::TenantId;

/// How many of what are in trouble.
pub(crate) struct Seen {
    pub(crate) failed_connections: i64,
    pub(crate) failed_runs: i64,
    pub(crate) stuck_jobs: i64,
}

/// Counts trouble; a job that was queued before `patience` and has not begun is stuck.
pub(crate) async fn read(
    conn: &mut Connection,
    tenant: TenantId,
    patience: DateTime<Utc>,
) -> sqlx::Result<Seen> {
    sqlx::query_as!(
        Seen,
        r#"
        select
          (select count(*) from connections
            where tenant_id = $1 and status = 'FAILED') "failed_connections!",
          (select count(*) from runs
            where tenant_id = $1 and status = 'failed' and kind <> 'events'
              and started_at >= now() - interval '24 hours') "failed_runs!",
          (select count(*) from jobs
            where tenant_id = $1 and status = 'queued' and created_at < $2) "stuck_jobs!"
        "#,
        tenant as _,
        patience,
    )
    .fetch_one(conn)
    .await
}
