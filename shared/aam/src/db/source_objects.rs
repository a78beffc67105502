//! Source objects: what a connection's records are of.

use schema::{ConnectionId, TenantId};

use super::{Connection, Result};

/// Registers the object, once.
pub async fn insert_once(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
    (system, entity): (&str, &str),
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into source_objects (tenant_id, connection_id, object, system, entity)
        values ($1, $2, $3, $4, $5)
        on conflict do nothing
        "#,
        tenant as _,
        connection as _,
        object,
        system,
        entity,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds the object against others who would number a snapshot of it.
pub async fn lock(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
) -> Result<()> {
    sqlx::query!(
        r#"
        select 1 "one!"
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object = $3
        for no key update
        "#,
        tenant as _,
        connection as _,
        object,
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Makes a snapshot the one that drift is measured from.
pub async fn set_baseline(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
    version: i32,
) -> Result<()> {
    sqlx::query!(
        r#"
        update source_objects set baseline_version = $4
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        connection as _,
        object,
        version,
    )
    .execute(conn)
    .await?;
    Ok(())
}
