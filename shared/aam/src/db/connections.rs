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

/// The connection of that id, or of that name.
pub async fn find_by_id_or_name(
    conn: &mut Connection,
    tenant: TenantId,
    id_or_name: &str,
) -> Result<Option<(ConnectionId, String)>> {
    let found = sqlx::query!(
        r#"
        select id "id: ConnectionId", name
        from connections
        where tenant_id = $1 and (id::text = lower($2) or name = $2)
        order by id::text = lower($2) desc
        limit 1
        "#,
        tenant as _,
        id_or_name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|it| (it.id, it.name)))
}

/// The connection's name.
pub async fn name(
    conn: &mut Connection,
    tenant: TenantId,
    id: ConnectionId,
) -> Result<Option<String>> {
    sqlx::query_scalar!(
        "select name from connections where tenant_id = $1 and id = $2",
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}
