//! How far the sources of objects were read.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::{ConnectionId, TenantId};

/// How far an object's source was read in the order of that column.
pub(crate) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    (connection, object): (ConnectionId, &str),
    cursor_column: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        select cursor
        from sync_positions
        where tenant_id = $1 and connection_id = $2 and object = $3 and cursor_column = $4
        "#,
        tenant as _,
        connection as _,
        object,
        cursor_column,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn upsert(
    conn: &mut Conn,
    tenant: TenantId,
    (connection, object): (ConnectionId, &str),
    (cursor_column, cursor): (&str, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into sync_positions
          (tenant_id, connection_id, object, cursor_column, cursor, updated_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant_id, connection_id, object) do update set
          cursor_column = excluded.cursor_column,
          cursor = excluded.cursor,
          updated_at = excluded.updated_at
        "#,
        tenant as _,
        connection as _,
        object,
        cursor_column,
        cursor,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets all of a connection: it leads to another source now.
pub(crate) async fn delete(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from sync_positions where tenant_id = $1 and connection_id = $2",
        tenant as _,
        connection as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
