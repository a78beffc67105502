//! A connection's objects, for reading.

use platform::db::Connection as Conn;
use platform::page::{Keyset, Page};
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

/// One object of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceObject {
    /// Its name within the connection: `hubspot.account`, `public.people`.
    pub(crate) object: String,
    /// The system that it is of.
    system: String,
    /// What its records become; null where no mapping says.
    pub(crate) entity: Option<String>,
    /// `mapped`, `unmapped` (kept raw: see `proposal`) or `ignored` (kept raw, nobody is asked).
    state: String,
    /// The version of its mapping.
    mapping_version: Option<i32>,
    /// How many of its records are stored and not in quarantine.
    records: i64,
    /// How many are in quarantine.
    quarantined: i64,
    /// Where to read what the platform takes an unmapped object for.
    proposal: Option<String>,
}

impl Keyset for SourceObject {
    type Key = String;

    fn keyset(&self) -> String {
        self.object.clone()
    }
}

pub(crate) async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    page: &Page<String>,
) -> sqlx::Result<Vec<SourceObject>> {
    select(
        conn,
        tenant,
        connection,
        (page.after.as_deref(), None),
        page.fetch,
    )
    .await
}

pub(crate) async fn find(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
) -> sqlx::Result<Option<SourceObject>> {
    let mut found = select(conn, tenant, connection, (None, Some(object)), 1).await?;
    Ok(found.pop())
}

async fn select(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    (after, only): (Option<&str>, Option<&str>),
    most: i64,
) -> sqlx::Result<Vec<SourceObject>> {
    sqlx::query_as!(
        SourceObject,
        r#"
        select o.object, o.system, nullif(o.shown, 'unmapped') entity,
          case
            when o.shown <> 'unmapped' then 'mapped'
            when o.ignored then 'ignored'
            else 'unmapped'
          end "state!",
          o.version "mapping_version?",
          (select count(*)
           from raw_records r
           where r.tenant_id = $1 and r.connection_id = $2 and r.object = o.object
             and not r.deleted and not exists (
               select
               from quarantined_records q
               where q.tenant_id = $1 and q.connection_id = $2 and q.object = o.object
                 and q.content_hash = r.content_hash)) "records!",
          (select count(*)
           from quarantined_records q
           where q.tenant_id = $1 and q.connection_id = $2 and q.object = o.object) "quarantined!",
          case
            when o.shown = 'unmapped' and not o.ignored
              then '/api/v1/dcl/proposals/' || o.connection_id::text || '/' || o.object
          end proposal
        from (
          select s.connection_id, s.object, s.system, s.ignored, m.version,
            coalesce(m.entity, 'unmapped') shown
          from source_objects s
          left join lateral (
            select version, document ->> 'entity' entity
            from mappings
            where tenant_id = $1 and connection_id = $2 and object = s.object
            order by version desc
            limit 1
          ) m on true
          where s.tenant_id = $1 and s.connection_id = $2
            and ($3::text is null or s.object > $3)
            and ($4::text is null or s.object = $4)
          order by s.object
          limit $5
        ) o
        order by o.object
        "#,
        tenant as _,
        connection as _,
        after,
        only,
        most,
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn count(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from source_objects
        where tenant_id = $1 and connection_id = $2
        "#,
        tenant as _,
        connection as _,
    )
    .fetch_one(conn)
    .await
}
