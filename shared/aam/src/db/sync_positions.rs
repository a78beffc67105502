//! Checkpoints: where the next incremental sync of an object begins.

use chrono::{DateTime, Utc};
use schema::source::ObjectKey;
use schema::{ConnectionId, TenantId};
use serde_json::Value;

use super::{Connection, Result};

/// Where the next incremental sync of an object begins, in its connector's own words; nothing where
/// all of it has to be read.
pub async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<Option<Value>> {
    let state = sqlx::query_scalar!(
        r#"
        select state
        from sync_positions
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(state.flatten())
}

/// Notes where the next incremental sync of an object begins.
pub async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    state: &Value,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into sync_positions (tenant_id, connection_id, object, state, updated_at)
        values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, connection_id, object) do update set
          state = excluded.state,
          updated_at = excluded.updated_at
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        state,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets all of a connection: it leads to another source now.
pub async fn delete(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<()> {
    sqlx::query!(
        "delete from sync_positions where tenant_id = $1 and connection_id = $2",
        tenant as _,
        connection as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
