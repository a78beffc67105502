//! Quarantined records by the reason that they share.
//!
//! **Invariant:** no statement here looks at more than a bounded number of records, however many
//! are quarantined: the groups of a connection are leapt over in the index that has them, one probe
//! each.

use chrono::{DateTime, Utc};
use schema::source::ObjectKey;
use schema::{ConnectionId, TenantId};
use uuid::Uuid;

use super::stored_records::Stored;
use super::{Connection as Conn, Result};

/// Most groups of a connection that are listed.
pub const MAX_GROUPS: i64 = 1000;
/// Most records of a group that are counted, and of all groups together: each has its share.
const MAX_COUNT: i64 = 100_000;
const MAX_COUNTS: i64 = 1_000_000;
/// So many records of a group are looked at for when they were seen.
const SEEN: i64 = 1000;
/// So many are looked at for what could be done about them, none of them larger than this.
const SAMPLE: i64 = 100;
const SAMPLE_BYTES: i32 = 8 << 10;

/// Which records: one group of one object.
#[derive(Debug, Clone, Copy)]
pub struct GroupKey<'a> {
    /// The object.
    pub object: ObjectKey<'a>,
    /// The group's id.
    pub group: Uuid,
}

/// A group of quarantined records.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its object.
    pub object: String,
    /// Its id.
    pub group_id: Uuid,
    /// The field that is wrong in one of its records.
    pub field: Option<String>,
    /// How many records it has, as far as they were counted.
    pub records: i64,
    /// Whether there may be more.
    pub at_least: bool,
}

/// The groups of a connection, or of one of its objects: [`MAX_GROUPS`] at most.
pub async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    object: Option<&str>,
) -> Result<Vec<Group>> {
    sqlx::query_as!(
        Group,
        r#"
        with recursive leap as (
          (
            select object, group_id, field
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object >= coalesce($3, '')
            order by object, group_id limit 1
          )
          union all
          select next.object, next.group_id, next.field
          from leap
          cross join lateral (
            select object, group_id, field
            from quarantined_records
            where tenant_id = $1 and connection_id = $2
              and (object, group_id) > (leap.object, leap.group_id)
            order by object, group_id limit 1
          ) next
          -- The first one of another object ends it.
          where $3::text is null or leap.object = $3
        ), wanted as (
          select object, group_id, field
          from leap where $3::text is null or object = $3
          limit $4
        ), share as (
          select least($5::bigint, $6 / greatest(count(*), 1)) most from wanted
        )
        select object "object!", group_id "group_id!", field, records "records!",
          records >= (select most from share) "at_least!"
        from wanted
        cross join lateral (
          select count(*) records
          from (
            select
            from quarantined_records q
            where q.tenant_id = $1 and q.connection_id = $2 and q.object = wanted.object
              and q.group_id = wanted.group_id
            limit (select most from share)
          ) counted
        ) total
        "#,
        tenant as _,
        connection as _,
        object,
        MAX_GROUPS,
        MAX_COUNT,
        MAX_COUNTS,
    )
    .fetch_all(conn)
    .await
}

/// The group after that one, without its number of records.
pub async fn find_next(
    conn: &mut Conn,
    tenant: TenantId,
    after: GroupKey<'_>,
) -> Result<Option<Group>> {
    sqlx::query_as!(
        Group,
        r#"
        select object, group_id, field, 0::bigint "records!", true "at_least!"
        from quarantined_records
        where tenant_id = $1 and connection_id = $2 and (object, group_id) > ($3, $4)
        order by object, group_id
        limit 1
        "#,
        tenant as _,
        after.object.connection as _,
        after.object.name,
        after.group,
    )
    .fetch_optional(conn)
    .await
}

/// One record of a group.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its id.
    pub id: Uuid,
    /// Its line in the file, from 1.
    pub line: Option<i64>,
    /// Why it is quarantined.
    pub reason: String,
    /// As it was received; none where it is large.
    pub payload: Option<String>,
    /// When it came first.
    pub created_at: DateTime<Utc>,
    /// When it came last.
    pub last_seen_at: DateTime<Utc>,
}

/// Some records of a group, in no order that says anything.
pub async fn sample(conn: &mut Conn, tenant: TenantId, of: GroupKey<'_>) -> Result<Vec<Sample>> {
    sqlx::query_as!(
        Sample,
        r#"
        select id, line, reason, case when octet_length(payload) <= $6 then payload end payload,
          created_at, last_seen_at
        from quarantined_records
        where tenant_id = $1 and connection_id = $2 and object = $3 and group_id = $4
        order by content_hash
        limit $5
        "#,
        tenant as _,
        of.object.connection as _,
        of.object.name,
        of.group,
        SAMPLE,
        SAMPLE_BYTES,
    )
    .fetch_all(conn)
    .await
}

/// When the first and the last of a group's records came, of the 1,000 that are looked at.
pub async fn find_seen(
    conn: &mut Conn,
    tenant: TenantId,
    of: GroupKey<'_>,
) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>> {
    let seen = sqlx::query!(
        r#"
        select min(created_at) first, max(last_seen_at) last
        from (
          select created_at, last_seen_at
          from quarantined_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and group_id = $4
          order by content_hash
          limit $5
        ) looked_at
        "#,
        tenant as _,
        of.object.connection as _,
        of.object.name,
        of.group,
        SEEN,
    )
    .fetch_one(conn)
    .await?;
    Ok(seen.first.zip(seen.last))
}

/// What a slice of discarding came to.
#[derive(Debug, Clone)]
pub struct Discarded {
    /// How many records it took out.
    pub discarded: i64,
    /// The last record that it looked at, as its hash in hexadecimal; none where nothing is left.
    pub last: Option<String>,
}

/// Takes the next records of a group out of the quarantine, `limit` at most, but none that was seen
/// since `until`. What another batch has in its hands has come again, and stays.
pub async fn discard(
    conn: &mut Conn,
    tenant: TenantId,
    of: GroupKey<'_>,
    (after, until): (&str, DateTime<Utc>),
    limit: i64,
) -> Result<Discarded> {
    sqlx::query_as!(
        Discarded,
        r#"
        with slice as (
          select ctid place, content_hash
          from quarantined_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and group_id = $4
            and content_hash > decode($5, 'hex')
          order by content_hash
          limit $7
          for update skip locked
        ), gone as (
          delete from quarantined_records q
          using slice
          where q.tenant_id = $1 and q.ctid = slice.place and q.last_seen_at <= $6
          returning q.id
        )
        select (select count(*) from gone) "discarded!",
          (select max(encode(content_hash, 'hex')) from slice) last
        "#,
        tenant as _,
        of.object.connection as _,
        of.object.name,
        of.group,
        after,
        until,
        limit,
    )
    .fetch_one(conn)
    .await
}

/// A slice of replaying a group holds at most this much, but at least one record.
const ROWS: i64 = 500;
const BYTES: i64 = 8 << 20;

/// The next records of a group, to be mapped again; see
/// [`list_quarantined`](super::stored_records::list_quarantined).
pub async fn list_records(
    conn: &mut Conn,
    tenant: TenantId,
    of: GroupKey<'_>,
    after: &str,
) -> Result<Vec<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        select encode(content_hash, 'hex') "place!", payload, occurred_at, line, source_key,
          content_hash, run_id "run: _", coalesce(origin_run, run_id) "origin!: _",
          deleted, true "unfit!", content_hash = sha256(
            case when deleted then 'deleted'::bytea else '' end || convert_to(payload, 'UTF8')
          ) and payload is json object "readable!"
        from (
          select *, sum(octet_length(payload)) over (order by content_hash) size
          from (
            select content_hash, payload, line, source_key, run_id, origin_run, occurred_at,
              deleted
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and group_id = $4
              and content_hash > decode($5, 'hex')
            order by content_hash
            limit $6
            for update
          ) next
        ) sized
        where size - octet_length(payload) < $7
        order by content_hash
        "#,
        tenant as _,
        of.object.connection as _,
        of.object.name,
        of.group,
        after,
        ROWS,
        BYTES,
    )
    .fetch_all(conn)
    .await
}
