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
    pub(crate) scopes: Vec<String>,
    pub(crate) created_by: UserId,
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

/// The key, or none where it or its tenant was deleted, it was revoked, or its secret has another
/// hash. Notes that it was used.
pub(crate) async fn find_api_key(
    pool: &Pool,
    tenant: TenantId,
    id: ApiKeyId,
    secret_hash: &[u8],
) -> sqlx::Result<Option<CallerKey>> {
    sqlx::query_as!(
        CallerKey,
        r#"
        select scopes "scopes!", created_by "created_by!: UserId"
        from caller_of_api_key($1, $2, $3)
        "#,
        tenant as _,
        id as _,
        secret_hash,
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await
}
