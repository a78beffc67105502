//! The directory's logins: whose an e-mail address is. Outside of the tenant lock.

use platform::db::Connection;
use schema::{TenantId, UserId};

/// Where an address leads.
pub(crate) struct Login {
    pub(crate) tenant_id: TenantId,
    pub(crate) user_id: UserId,
}

/// Takes the address, in lower case.
pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    user: UserId,
    email: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into logins (email, tenant_id, user_id) values ($3, $1, $2)",
        tenant as _,
        user as _,
        email,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds the address, in lower case. The tenant is what is asked for.
pub(crate) async fn find(conn: &mut Connection, email: &str) -> sqlx::Result<Option<Login>> {
    sqlx::query_as!(
        Login,
        r#"
        select tenant_id "tenant_id: _", user_id "user_id: _"
        from logins
        where email = $1
        "#,
        email,
    )
    .fetch_optional(conn)
    .await
}
