//! Connections.

use schema::{ConnectionId, TenantId};

use super::{Connection, Result};

/// Which of these connections the tenant has. They stay until the end of the transaction, as if
/// every record written in it had a foreign key.
pub async fn lock_for_ingest(
    conn: &mut Connection,
    tenant: TenantId,
    ids: &[ConnectionId],
) -> Result<Vec<ConnectionId>> {
    sqlx::query_scalar!(
        r#"
        select id "id: _"
        from connections
        where tenant_id = $1 and id = any($2)
        order by id
        for key share
        "#,
        tenant as _,
        ids as _,
    )
    .fetch_all(conn)
    .await
}
