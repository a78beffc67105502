//! The directory's tenants. Outside of the tenant lock.

use platform::db::Connection;
use schema::TenantId;

pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    name: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into tenants (id, name) values ($1, $2)",
        tenant as _,
        name
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says whether this was the first time.
pub(crate) async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    name: &str,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        "insert into tenants (id, name) values ($1, $2) on conflict (id) do nothing",
        tenant as _,
        name
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Ends the tenant whose request it is, where that is its name, and says whether it was. Its rows
/// are deleted later.
pub(crate) async fn end(conn: &mut Connection, tenant: TenantId, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select end_tenant($1, $2) "ended!""#, tenant as _, name)
        .fetch_one(conn)
        .await
}
