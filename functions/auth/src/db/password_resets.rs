//! What a person may set a new password with, by its hash. One at a time.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use schema::{TenantId, UserId};
use uuid::Uuid;

/// A reset that was not used.
pub(crate) struct PasswordReset {
    pub(crate) id: Uuid,
    pub(crate) user_id: UserId,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Stores one in place of the person's earlier one.
pub(crate) async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    reset: &PasswordReset,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into password_resets
          (tenant_id, user_id, id, token_hash, created_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant_id, user_id) do update
          set id = $3, token_hash = $4, created_by = $5, created_at = $6, expires_at = $7
        "#,
        tenant as _,
        reset.user_id as _,
        reset.id,
        reset.token_hash,
        reset.created_by as _,
        reset.created_at,
        reset.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The reset if its time is not over.
pub(crate) async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PasswordReset>> {
    sqlx::query_as!(
        PasswordReset,
        r#"
        select id, user_id "user_id: _", token_hash, created_by "created_by: _", created_at,
          expires_at
        from password_resets
        where tenant_id = $1 and id = $2 and expires_at > $3
        "#,
        tenant as _,
        id,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Takes what a person could set a new password with.
pub(crate) async fn delete_for(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from password_resets where tenant_id = $1 and user_id = $2",
        tenant as _,
        user as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back what an admin made for others.
pub(crate) async fn delete_by(
    conn: &mut Connection,
    tenant: TenantId,
    created_by: UserId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from password_resets where tenant_id = $1 and created_by = $2",
        tenant as _,
        created_by as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
