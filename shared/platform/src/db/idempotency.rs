//! Answers kept by idempotency key.

use chrono::{DateTime, TimeDelta, Utc};
use schema::TenantId;

use super::Connection;

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// What is known of a key.
pub(crate) struct StoredResponse {
    pub(crate) request_hash: Vec<u8>,
    pub(crate) status: Option<i16>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) content_type: Option<String>,
}

/// The answer to keep.
pub(crate) struct Answer<'a> {
    pub(crate) status: i16,
    pub(crate) body: &'a [u8],
    pub(crate) content_type: Option<&'a str>,
}

/// Takes the key for this request. Says whether it was free: never used, out of date,
/// or taken by a request that died (`abandoned`).
pub(crate) async fn take(
    conn: &mut Connection,
    tenant: TenantId,
    key: &str,
    request_hash: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let abandoned = now - TimeDelta::minutes(15);
    let result = sqlx::query!(
        r#"
        insert into idempotency_keys as kept (tenant_id, key, request_hash, created_at)
        values ($1, $2, $3, $4)
        on conflict (tenant_id, key) do update
        set request_hash = $3, created_at = $4, status = null, body = null, content_type = null
        where kept.created_at < $5 or (kept.status is null and kept.created_at < $6)
        "#,
        tenant as _,
        key,
        request_hash,
        now,
        now - KEPT,
        abandoned,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

pub(crate) async fn get(
    conn: &mut Connection,
    tenant: TenantId,
    key: &str,
) -> sqlx::Result<Option<StoredResponse>> {
    sqlx::query_as!(
        StoredResponse,
        r#"
        select request_hash, status, body, content_type
        from idempotency_keys
        where tenant_id = $1 and key = $2
        "#,
        tenant as _,
        key,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn keep(
    conn: &mut Connection,
    tenant: TenantId,
    key: &str,
    answer: &Answer<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update idempotency_keys
        set status = $3, body = $4, content_type = $5
        where tenant_id = $1 and key = $2
        "#,
        tenant as _,
        key,
        answer.status,
        answer.body,
        answer.content_type,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn release(
    conn: &mut Connection,
    tenant: TenantId,
    key: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from idempotency_keys where tenant_id = $1 and key = $2",
        tenant as _,
        key,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the tenant's answers that are out of date.
pub(crate) async fn purge(
    conn: &mut Connection,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from idempotency_keys where tenant_id = $1 and created_at < $2",
        tenant as _,
        now - KEPT,
    )
    .execute(conn)
    .await?;
    Ok(())
}
