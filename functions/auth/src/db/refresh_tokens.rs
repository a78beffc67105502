//! Refresh tokens, by their hashes.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use platform::page::Page;
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

/// A family that can still be refreshed.
pub(crate) struct Family {
    pub(crate) id: Uuid,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) refreshed_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
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

/// A person's families in the order of their ids, page by page. All tokens of one end together.
pub(crate) async fn list_families(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    now: DateTime<Utc>,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<Family>> {
    sqlx::query_as!(
        Family,
        r#"
        select family_id id, min(created_at) "started_at!", max(created_at) "refreshed_at!",
          max(expires_at) "expires_at!"
        from refresh_tokens
        where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > $3
          and ($4::uuid is null or family_id > $4)
        group by family_id
        order by family_id
        limit $5
        "#,
        tenant as _,
        user as _,
        now,
        page.after,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

/// Whether a person has the family, and it can still be refreshed.
pub(crate) async fn has_family(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    family: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select from refresh_tokens
          where tenant_id = $1 and user_id = $2 and family_id = $3
            and revoked_at is null and expires_at > $4
        ) "exists!"
        "#,
        tenant as _,
        user as _,
        family,
        now,
    )
    .fetch_one(conn)
    .await
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
