//! Noticed changes of structure.

use schema::TenantId;
use schema::drift::DriftEvent;
use sqlx::types::Json;

use super::{Connection, Result};

/// Notes a drift, once per pair of snapshots. Says whether this was the first time.
pub async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    event: &DriftEvent,
) -> Result<bool> {
    let result = sqlx::query!(
        r#"
        insert into drift_events
          (tenant_id, id, connection_id, object, from_version, to_version, changes, severity,
           status, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant_id, connection_id, object, from_version, to_version) do nothing
        "#,
        tenant as _,
        event.id as _,
        event.connection_id as _,
        event.object,
        event.from_version,
        event.to_version,
        Json(&event.changes) as _,
        event.severity.as_str(),
        event.status as _,
        event.created_at,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// How many drifts nobody has answered for a day, in a transaction of the sweep, which sees no
/// others.
pub async fn count_unanswered(conn: &mut Connection) -> Result<i64> {
    sqlx::query_scalar!(r#"select count(*) "count!" from drift_events"#)
        .fetch_one(conn)
        .await
}
