//! Refresh tokens, by their hashes.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use schema::{TenantId, UserId};
use uuid::Uuid;

/// One refresh token.
#[derive(Debug)]
pub(crate) struct RefreshToken {
    pub(crate) id: Uuid,
    pub(crate) family_id: Uuid,
    pub(crate) user_id: UserId,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) rotated_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    token: &RefreshToken,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into refresh_tokens
          (tenant_id, id, family_id, user_id, token_hash, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        tenant as _,
        token.id,
        token.family_id,
        token.user_id as _,
        token.token_hash,
        token.created_at,
        token.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    id: Uuid,
) -> sqlx::Result<Option<RefreshToken>> {
    sqlx::query_as!(
        RefreshToken,
        r#"
        select id, family_id, user_id "user_id: _", token_hash, created_at, expires_at,
          rotated_at, revoked_at
        from refresh_tokens
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id,
    )
    .fetch_optional(conn)
    .await
}

/// Notes that the token was traded for its child.
pub(crate) async fn rotate(
    conn: &mut Connection,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update refresh_tokens set rotated_at = $3 where tenant_id = $1 and id = $2",
        tenant as _,
        id,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says how many tokens this revoked.
pub(crate) async fn revoke_family(
    conn: &mut Connection,
    tenant: TenantId,
    family: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let result = sqlx::query!(
        r#"
        update refresh_tokens
        set revoked_at = $3
        where tenant_id = $1 and family_id = $2 and revoked_at is null
        "#,
        tenant as _,
        family,
        now,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected())
}

/// Ends every session of a person.
pub(crate) async fn revoke_of_user(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update refresh_tokens
        set revoked_at = $3
        where tenant_id = $1 and user_id = $2 and revoked_at is null
        "#,
        tenant as _,
        user as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a person's tokens that nobody could use any more.
pub(crate) async fn delete_expired(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from refresh_tokens where tenant_id = $1 and user_id = $2 and expires_at < $3",
        tenant as _,
        user as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
