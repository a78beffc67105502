//! A connection's objects, for reading.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::{Keyset, Page};
use schema::{ConnectionId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

/// Records of an object are counted up to this many, and those of all objects of a page up to this
/// many: an answer has to come at once, whatever is stored.
const MAX_COUNTED: i64 = 100_000;
const MAX_COUNTED_OF_PAGE: i64 = 500_000;

/// One object of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceObject {
    #[serde(flatten)]
    pub(crate) counted: CountedObject,
    #[serde(flatten)]
    said: SaidOfObject,
}

/// What people say of an object, and whether it is as fresh as they want it.
#[derive(Debug, Serialize, ToSchema)]
struct SaidOfObject {
    #[serde(skip)]
    name: String,
    /// What a person says its records are, for its proposal.
    said_entity: Option<String>,
    /// The source fields that a person says identify a record, for its proposal.
    said_key: Option<Vec<String>>,
    /// How old its last successful run may be, in minutes; null where nobody minds.
    max_age_minutes: Option<i32>,
    /// When its last successful run ended.
    last_sync: Option<DateTime<Utc>>,
    /// Whether that is too long ago.
    stale: bool,
}

/// An object, what its records become, and how many there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountedObject {
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
    /// How many of its records are stored and fit its mapping, as its view has them; no more than 100,000 are counted,
    /// and 500,000 of all objects of a page.
    records: i64,
    /// How many are in quarantine, counted up to as many.
    quarantined: i64,
    /// Whether there may be more than `records` or more than `quarantined`.
    at_least: bool,
    /// Where to read what the platform takes an unmapped object for.
    proposal: Option<String>,
}

impl Keyset for SourceObject {
    type Key = String;

    fn keyset(&self) -> String {
        self.counted.object.clone()
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
    wanted: (Option<&str>, Option<&str>),
    most: i64,
) -> sqlx::Result<Vec<SourceObject>> {
    let counted = select_counted(conn, tenant, connection, wanted, most).await?;
    let names: Vec<_> = counted.iter().map(|it| it.object.clone()).collect();
    let said = select_said(conn, tenant, connection, &names).await?;
    let mut said: HashMap<_, _> = said.into_iter().map(|it| (it.name.clone(), it)).collect();
    let both = counted.into_iter().filter_map(|counted| {
        let said = said.remove(&counted.object)?;
        Some(SourceObject { counted, said })
    });
    Ok(both.collect())
}

async fn select_said(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    names: &[String],
) -> sqlx::Result<Vec<SaidOfObject>> {
    sqlx::query_as!(
        SaidOfObject,
        r#"
        select s.object name, s.said_entity, s.said_key, s.max_age_minutes, l.last_sync "last_sync?",
          s.max_age_minutes is not null and coalesce(l.last_sync, '-infinity')
            < $4::timestamptz - make_interval(mins => s.max_age_minutes) "stale!"
        from source_objects s
        left join lateral (
          select r.finished_at last_sync
          from runs r
          where r.tenant_id = $1 and r.connection_id = $2 and r.object = s.object
            and r.status in ('success', 'partial') and r.kind <> 'replay'
          order by r.started_at desc, r.id desc
          limit 1
        ) l on true
        where s.tenant_id = $1 and s.connection_id = $2 and s.object = any($3)
        "#,
        tenant as _,
        connection as _,
        names,
        platform::now(),
    )
    .fetch_all(conn)
    .await
}

async fn select_counted(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    (after, only): (Option<&str>, Option<&str>),
    most: i64,
) -> sqlx::Result<Vec<CountedObject>> {
    sqlx::query_as!(
        CountedObject,
        r#"
        select o.object, o.system, nullif(o.shown, 'unmapped') entity,
          case when o.shown <> 'unmapped' then 'mapped' when o.ignored then 'ignored'
            else 'unmapped' end "state!",
          o.version "mapping_version?", r.fine "records!", q.records "quarantined!",
          o.most <= greatest(r.records, q.records) "at_least!",
          case when o.shown = 'unmapped' and not o.ignored
            then '/api/v1/dcl/proposals/' || o.connection_id::text || '/' || o.object end proposal
        from (
          select *, least($6::bigint, $7 / count(*) over ()) most
          from (
            select s.connection_id, s.object, s.system, s.ignored, m.version,
              coalesce(m.entity, 'unmapped') shown
            from source_objects s
            left join lateral (
              select version, document ->> 'entity' entity from mappings
              where tenant_id = $1 and connection_id = $2 and object = s.object
              order by version desc limit 1
            ) m on true
            where s.tenant_id = $1 and s.connection_id = $2
              and ($3::text is null or s.object > $3) and ($4::text is null or s.object = $4)
            order by s.object limit $5) page
        ) o
        cross join lateral (
          select count(*) records from (select from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = o.object limit o.most) counted
        ) q
        cross join lateral (
          select count(*) records, count(*) filter (where not unfit) fine
          from (select unfit from raw_records
            where tenant_id = $1 and connection_id = $2 and object = o.object and not deleted limit o.most) counted
        ) r
        order by o.object
        "#,
        tenant as _,
        connection as _,
        after,
        only,
        most,
        MAX_COUNTED,
        MAX_COUNTED_OF_PAGE,
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
