//! Who a token or an API key speaks for, now.

use chrono::{DateTime, Utc};
use schema::{ApiKeyId, TenantId, UserId};

use super::Pool;

pub(crate) struct CallerUser {
    pub(crate) email: String,
    pub(crate) role: String,
    pub(crate) disabled: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) token_epoch: i32,
}

pub(crate) struct CallerKey {
    pub(crate) secret_hash: Vec<u8>,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_by: UserId,
    pub(crate) revoked: bool,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

/// The user, or none where it or its tenant was deleted. One round trip, without a transaction.
pub(crate) async fn find_user(
    pool: &Pool,
    tenant: TenantId,
    id: UserId,
) -> sqlx::Result<Option<CallerUser>> {
    sqlx::query_as!(
        CallerUser,
        r#"
        select email "email!", role "role!", disabled "disabled!", created_at "created_at!",
          token_epoch "token_epoch!"
        from caller_of_token($1, $2)
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await
}

/// The key, or none where it or its tenant was deleted.
pub(crate) async fn find_api_key(
    pool: &Pool,
    tenant: TenantId,
    id: ApiKeyId,
) -> sqlx::Result<Option<CallerKey>> {
    sqlx::query_as!(
        CallerKey,
        r#"
        select secret_hash "secret_hash!", scopes "scopes!", created_by "created_by!: UserId",
          revoked "revoked!", last_used_at
        from caller_api_key($1, $2)
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await
}

/// Notes when a key was used. One round trip, without a transaction.
pub(crate) async fn touch_api_key(
    pool: &Pool,
    tenant: TenantId,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "select caller_api_key_used($1, $2, $3)",
        tenant as _,
        id as _,
        now
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(())
}
