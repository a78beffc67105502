//! Versions of mappings. A version never changes; the newest is the current one.

use chrono::{DateTime, Utc};
use schema::mapping::Mapping;
use schema::{ConnectionId, TenantId};
use sqlx::types::Json;

use super::{Connection, Result};

/// One version of an object's mapping.
#[derive(Debug, Clone)]
pub struct NewMapping<'a> {
    /// From 1.
    pub version: i32,
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Who made it: `user:<id>`, `shipped`.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// The current version's number.
pub async fn find_version(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
) -> Result<Option<i32>> {
    sqlx::query_scalar!(
        r#"
        select max(version)
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        connection as _,
        object,
    )
    .fetch_one(conn)
    .await
}

/// The current version.
pub async fn current(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
) -> Result<Option<(i32, Mapping)>> {
    let row = sqlx::query!(
        r#"
        select version, document "mapping: Json<Mapping>"
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
        order by version desc
        limit 1
        "#,
        tenant as _,
        connection as _,
        object,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|it| (it.version, it.mapping.0)))
}

/// Adds a version. Says whether its number was free.
pub async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
    new: &NewMapping<'_>,
) -> Result<bool> {
    let result = sqlx::query!(
        r#"
        insert into mappings
          (tenant_id, connection_id, object, version, document, author, reason, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant_id, connection_id, object, version) do nothing
        "#,
        tenant as _,
        connection as _,
        object,
        new.version,
        Json(new.mapping) as _,
        new.author,
        new.reason,
        new.now,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}
