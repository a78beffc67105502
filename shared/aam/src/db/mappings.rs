//! Versions of mappings. A version never changes; the newest is the current one.

use chrono::{DateTime, Utc};
use platform::page::{Keyset, Page};
use schema::mapping::Mapping;
use schema::source::ObjectKey;
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use sqlx::types::Json;
use utoipa::ToSchema;

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

/// Makes the object's current mapping its next version. Hold its mapping before; nothing happens
/// where it has none.
pub async fn repeat(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (author, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into mappings
          (tenant_id, connection_id, object, version, document, author, reason, created_at)
        select tenant_id, connection_id, object, version + 1, document, $4, $5, $6
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
        order by version desc
        limit 1
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        author,
        reason,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The mapping that an object's records are read with.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CurrentMapping {
    /// Whose records.
    pub connection_id: ConnectionId,
    /// The connection's name.
    pub connection: String,
    /// The object, such as `hubspot.account`.
    pub object: String,
    /// The system that the object is of.
    pub system: String,
    /// What its records become; `unmapped` where nobody has said.
    pub entity: String,
    /// The number of the version.
    pub version: i32,
    /// Who made the version: `user:<id>`, `api-key:<id>` or `shipped`.
    pub author: String,
    /// Why they did.
    pub reason: String,
    /// When they did.
    pub created_at: DateTime<Utc>,
    /// How many canonical fields it fills.
    pub fields: i64,
}

impl Keyset for CurrentMapping {
    type Key = (ConnectionId, String);

    fn keyset(&self) -> Self::Key {
        (self.connection_id, self.object.clone())
    }
}

/// Which current mappings to list; what is none lists all.
#[derive(Debug, Default, Clone, Copy)]
pub struct MappingFilter<'a> {
    /// Those of this connection.
    pub connection: Option<ConnectionId>,
    /// Those to this entity.
    pub entity: Option<&'a str>,
}

/// One page of the current mappings, by connection and object.
pub async fn list_current(
    conn: &mut Connection,
    tenant: TenantId,
    wanted: MappingFilter<'_>,
    page: &Page<(ConnectionId, String)>,
) -> Result<Vec<CurrentMapping>> {
    let (after_connection, after_object) = page.after.clone().unzip();
    sqlx::query_as!(
        CurrentMapping,
        r#"
        select m.connection_id "connection_id: _", c.name connection, m.object, o.system,
          m.document ->> 'entity' "entity!", m.version, m.author, m.reason, m.created_at,
          jsonb_array_length(m.document -> 'fields')::bigint "fields!"
        from (
          select distinct on (connection_id, object) *
          from mappings
          where tenant_id = $1
            and ($2::uuid is null or connection_id = $2)
            and ($4::uuid is null or (connection_id, object) > ($4, $5::text))
          order by connection_id, object, version desc
        ) m
        join source_objects o
          on o.tenant_id = $1 and o.connection_id = m.connection_id and o.object = m.object
        join connections c on c.tenant_id = $1 and c.id = m.connection_id
        where $3::text is null or m.document ->> 'entity' = $3
        order by m.connection_id, m.object
        limit $6
        "#,
        tenant as _,
        wanted.connection as _,
        wanted.entity,
        after_connection as _,
        after_object,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

/// How many there are.
pub async fn count_current(
    conn: &mut Connection,
    tenant: TenantId,
    wanted: MappingFilter<'_>,
) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from (
          select distinct on (connection_id, object) document
          from mappings
          where tenant_id = $1 and ($2::uuid is null or connection_id = $2)
          order by connection_id, object, version desc
        ) m
        where $3::text is null or m.document ->> 'entity' = $3
        "#,
        tenant as _,
        wanted.connection as _,
        wanted.entity,
    )
    .fetch_one(conn)
    .await
}

/// One version of an object's mapping, whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoredMapping {
    /// The number of the version.
    pub version: i32,
    /// Who made it: `user:<id>`, `api-key:<id>` or `shipped`.
    pub author: String,
    /// Why they did.
    pub reason: String,
    /// When they did.
    pub created_at: DateTime<Utc>,
    /// The mapping.
    #[schema(value_type = Mapping)]
    pub mapping: Json<Mapping>,
}

impl Keyset for StoredMapping {
    type Key = i32;

    fn keyset(&self) -> i32 {
        self.version
    }
}

/// One page of the versions of an object's mapping, the newest first.
pub async fn list_versions(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    page: &Page<i32>,
) -> Result<Vec<StoredMapping>> {
    sqlx::query_as!(
        StoredMapping,
        r#"
        select version, author, reason, created_at, document "mapping: _"
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
          and ($4::integer is null or version < $4)
        order by version desc
        limit $5
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        page.after,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

/// How many versions there are.
pub async fn count_versions(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
) -> Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_one(conn)
    .await
}

/// That version, or the current one.
pub async fn find(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    version: Option<i32>,
) -> Result<Option<StoredMapping>> {
    sqlx::query_as!(
        StoredMapping,
        r#"
        select version, author, reason, created_at, document "mapping: _"
        from mappings
        where tenant_id = $1 and connection_id = $2 and object = $3
          and ($4::integer is null or version = $4)
        order by version desc
        limit 1
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        version,
    )
    .fetch_optional(conn)
    .await
}
