//! Rate limits that a tenant has instead of the platform's.

use schema::TenantId;

use super::Connection;

/// As `1000/200`; none where the platform's limit holds.
#[derive(Debug, Default)]
pub(crate) struct TenantLimits {
    pub(crate) reads: Option<String>,
    pub(crate) writes: Option<String>,
}

pub(crate) async fn find(conn: &mut Connection, tenant: TenantId) -> sqlx::Result<TenantLimits> {
    let found = sqlx::query_as!(
        TenantLimits,
        "select read_limit reads, write_limit writes from tenant_limits where tenant_id = $1",
        tenant as _,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.unwrap_or_default())
}
