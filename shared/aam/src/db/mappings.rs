//! Versions of mappings. A version never changes; the newest is the current one.

use chrono::{DateTime, Utc};
use schema::TenantId;
use schema::mapping::Mapping;
use schema::source::ObjectKey;
use sqlx::types::Json;

use super::{Connection, Result};

/// Which version of an object's mapping. A number is given again where the transaction that gave
/// it first was rolled back; the two are told apart by when they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappingVersion {
    /// From 1.
    pub number: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

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

/// The current version, without the mapping.
pub async fn find_version(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<Option<MappingVersion>> {
    sqlx::query_as!(
        MappingVersion,
        r#"
        select version number, created_at
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
        order by version desc
        limit 1
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_optional(conn)
    .await
}

/// The current version.
pub async fn current(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<Option<(MappingVersion, Mapping)>> {
    let row = sqlx::query!(
        r#"
        select version, created_at, document "mapping: Json<Mapping>"
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
        order by version desc
        limit 1
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|it| {
        let version = MappingVersion {
            number: it.version,
            created_at: it.created_at,
        };
        (version, it.mapping.0)
    }))
}

/// Adds a version. Says whether its number was free.
pub async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
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
        object.connection as _,
        object.name,
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
