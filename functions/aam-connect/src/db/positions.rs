//! How far the sources of objects were read.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use schema::source::ObjectKey;
use schema::{ConnectionId, TenantId};
use sources::postgres::Part;

/// How far an object's source was read.
pub(crate) struct Position<'a> {
    /// In the order of this column.
    pub(crate) part: &'a Part,
    pub(crate) cursor: &'a str,
}

/// How far an object's source was read in the order of that column; nothing where the column had
/// another type then, as its values cannot be compared.
pub(crate) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    column: &Part,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        select cursor
        from sync_positions
        where tenant_id = $1 and connection_id = $2 and object = $3 and cursor_column = $4
          and cursor_type = $5
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        column.name,
        column.cast,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn upsert(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    position: &Position<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into sync_positions
          (tenant_id, connection_id, object, cursor_column, cursor_type, cursor, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant_id, connection_id, object) do update set
          cursor_column = excluded.cursor_column,
          cursor_type = excluded.cursor_type,
          cursor = excluded.cursor,
          updated_at = excluded.updated_at
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        position.part.name,
        position.part.cast,
        position.cursor,
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
