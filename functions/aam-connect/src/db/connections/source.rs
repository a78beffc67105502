//! Connections as who asks their sources needs them: with their sealed secrets.

use std::time::Duration;

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::{ConnectionId, TenantId};
use serde_json::Value;
use uuid::Uuid;

use super::ConnectionStatus;

/// A connection whose source can be asked.
pub(crate) struct Row {
    pub(crate) source_type: String,
    /// With `[redacted]` in the place of each secret.
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

/// Notes what the latest runs of the connection's objects say of it: `HEALING` where one of them
/// failed because all its records were quarantined, `ACTIVE` again where none failed. A status that
/// is about the source itself stays.
pub(crate) async fn settle_status(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        with latest as (
          select r.status, r.first_rejection is not null and exists (
            select
            from quarantined_records q
            where q.tenant_id = $1 and q.connection_id = $2 and q.object = o.object
          ) rejected
          from source_objects o
          cross join lateral (
            select status, first_rejection
            from runs
            where tenant_id = $1 and connection_id = $2 and object = o.object
              and status not in ('running', 'canceled')
            order by started_at desc, id desc
            limit 1
          ) r
          where o.tenant_id = $1 and o.connection_id = $2
        ), settled as (
          select case
            when bool_or(status = 'failed' and rejected) then 'HEALING'
            when not bool_or(status = 'failed' and not rejected) then 'ACTIVE'
          end status
          from latest
        )
        update connections c
        set status = settled.status
        from settled
        where c.tenant_id = $1 and c.id = $2 and c.status in ('ACTIVE', 'HEALING')
          and settled.status <> c.status
        "#,
        tenant as _,
        id as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the lease of a connection's secrets for so long, and returns them sealed; nothing where
/// another one has it, or the connection is gone.
pub(crate) async fn lease_secrets(
    conn: &mut Conn,
    tenant: TenantId,
    id: ConnectionId,
    (lease, length): (Uuid, Duration),
) -> sqlx::Result<Option<Option<Vec<u8>>>> {
    sqlx::query_scalar!(
        r#"
        update connections
        set secrets_lease = $3, secrets_leased_until = now() + make_interval(secs => $4)
        where tenant_id = $1 and id = $2
          and (secrets_leased_until is null or secrets_leased_until <= now())
        returning sealed_secrets
        "#,
        tenant as _,
        id as _,
        lease,
        length.as_secs_f64(),
    )
    .fetch_optional(conn)
    .await
}

/// Gives the lease back, with other secrets where there are some. Says whether it was still there
/// to be given back: else nothing is stored.
pub(crate) async fn release_secrets(
    conn: &mut Conn,
    tenant: TenantId,
    (id, lease): (ConnectionId, Uuid),
    sealed: Option<&[u8]>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        update connections
        set secrets_lease = null, secrets_leased_until = null,
          sealed_secrets = coalesce($4, sealed_secrets)
        where tenant_id = $1 and id = $2 and secrets_lease = $3
        "#,
        tenant as _,
        id as _,
        lease,
        sealed,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
