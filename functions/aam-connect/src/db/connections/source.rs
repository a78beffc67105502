//! Connections as a puller needs them: with their sealed secrets.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::{ConnectionId, TenantId};
use serde_json::Value;

use super::ConnectionStatus;

/// A connection to pull over.
pub(crate) struct Row {
    pub(crate) source_type: String,
    /// With a mark in the place of each secret.
    pub(crate) connector_config: Value,
    pub(crate) sealed_secrets: Option<Vec<u8>>,
    pub(crate) updated_at: DateTime<Utc>,
}

pub(crate) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> sqlx::Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        r#"
        select source_type, connector_config, sealed_secrets, updated_at
        from connections
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn set_secrets(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    sealed: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update connections set sealed_secrets = $3 where tenant_id = $1 and id = $2",
        tenant as _,
        id as _,
        sealed,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes how the latest job went, unless people or a drift have the last word.
pub(crate) async fn set_status(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    status: ConnectionStatus,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update connections set status = $3
        where tenant_id = $1 and id = $2 and status <> $3
          and status in ('PENDING', 'ACTIVE', 'FAILED', 'HEALING')
        "#,
        tenant as _,
        id as _,
        status as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
