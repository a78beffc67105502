//! Invitations, by their hashes.

use chrono::{DateTime, Utc};
use platform::db::Connection;
use platform::page::Page;
use schema::{InvitationId, TenantId, UserId};
use uuid::Uuid;

/// One invitation.
pub(crate) struct Invitation {
    pub(crate) id: InvitationId,
    pub(crate) email: String,
    pub(crate) role: String,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) invited_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    invitation: &Invitation,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into invitations
          (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        tenant as _,
        invitation.id as _,
        invitation.email,
        invitation.role,
        invitation.token_hash,
        invitation.invited_by as _,
        invitation.created_at,
        invitation.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The invitation if it can still be accepted.
pub(crate) async fn find_open(
    conn: &mut Connection,
    tenant: TenantId,
    id: InvitationId,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Invitation>> {
    sqlx::query_as!(
        Invitation,
        r#"
        select id "id: _", email, role, token_hash, invited_by "invited_by: _", created_at,
          expires_at
        from invitations
        where tenant_id = $1 and id = $2 and accepted_at is null and expires_at > $3
        "#,
        tenant as _,
        id as _,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Says whether this was the first acceptance.
pub(crate) async fn accept_once(
    conn: &mut Connection,
    tenant: TenantId,
    id: InvitationId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        r#"
        update invitations
        set accepted_at = $3
        where tenant_id = $1 and id = $2 and accepted_at is null
        "#,
        tenant as _,
        id as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Invitations that can still be accepted, in the order of their ids, page by page.
pub(crate) async fn list_open(
    conn: &mut Connection,
    tenant: TenantId,
    now: DateTime<Utc>,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<Invitation>> {
    sqlx::query_as!(
        Invitation,
        r#"
        select id "id: _", email, role, token_hash, invited_by "invited_by: _", created_at,
          expires_at
        from invitations
        where tenant_id = $1 and ($3::uuid is null or id > $3)
          and accepted_at is null and expires_at > $2
        order by id
        limit $4
        "#,
        tenant as _,
        now,
        page.after,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

/// Says whether there was one that was not accepted.
pub(crate) async fn delete_open(
    conn: &mut Connection,
    tenant: TenantId,
    id: InvitationId,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        "delete from invitations where tenant_id = $1 and id = $2 and accepted_at is null",
        tenant as _,
        id as _,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Withdraws what a person offered and nobody accepted. Says which.
pub(crate) async fn delete_open_of(
    conn: &mut Connection,
    tenant: TenantId,
    invited_by: UserId,
) -> sqlx::Result<Vec<InvitationId>> {
    sqlx::query_scalar!(
        r#"
        delete from invitations
        where tenant_id = $1 and invited_by = $2 and accepted_at is null
        returning id "id: InvitationId"
        "#,
        tenant as _,
        invited_by as _,
    )
    .fetch_all(conn)
    .await
}
