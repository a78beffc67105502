//! The directory's logins: whose an e-mail address is. Outside of the tenant lock.

use platform::db::Connection;
use schema::{TenantId, UserId};

/// Where an address leads.
pub(crate) struct Login {
    pub(crate) tenant_id: TenantId,
    pub(crate) user_id: UserId,
}

/// Takes the address, by its key.
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

/// Finds the address by its keys, the first one before the others. The tenant is what is asked for.
pub(crate) async fn find(conn: &mut Connection, keys: &[String]) -> sqlx::Result<Option<Login>> {
    sqlx::query_as!(
        Login,
        r#"
        select tenant_id "tenant_id: _", user_id "user_id: _"
        from logins
        where email = any($1)
        order by array_position($1, email)
        limit 1
        "#,
        keys,
    )
    .fetch_optional(conn)
    .await
}
