//! The tenants' data keys, wrapped.

use schema::TenantId;

use super::Connection;

pub(crate) async fn find(conn: &mut Connection, tenant: TenantId) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "select wrapped from tenant_keys where tenant_id = $1",
        tenant as _,
    )
    .fetch_optional(conn)
    .await
}

/// Keeps a tenant's first key, and returns the one that is kept.
pub(crate) async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    wrapped: &[u8],
) -> sqlx::Result<Vec<u8>> {
    sqlx::query_scalar!(
        r#"
        insert into tenant_keys as kept (tenant_id, wrapped)
        values ($1, $2)
        on conflict (tenant_id) do update set wrapped = kept.wrapped
        returning wrapped
        "#,
        tenant as _,
        wrapped,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn update(
    conn: &mut Connection,
    tenant: TenantId,
    wrapped: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update tenant_keys set wrapped = $2 where tenant_id = $1",
        tenant as _,
        wrapped,
    )
    .execute(conn)
    .await?;
    Ok(())
}
