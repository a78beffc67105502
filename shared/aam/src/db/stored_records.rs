//! What is stored of an object's records, slice by slice.

use super::{Connection as Conn, Result};
use chrono::{DateTime, Utc};
use schema::source::ObjectKey;
use schema::{ConnectionId, RunId, TenantId};

/// A slice holds at most this much, but at least one record.
const ROWS: i64 = 500;
const BYTES: i64 = 8 << 20;

/// Some records of one object.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    pub object: ObjectKey<'a>,
    /// The place of the record before the first one; empty for the beginning.
    pub after: &'a str,
}

/// One stored record, held until the end of the transaction.
pub struct Stored {
    /// Where it stands among the others.
    pub place: String,
    pub payload: String,
    /// When it happened at its source, where that is said beside it.
    pub occurred_at: Option<DateTime<Utc>>,
    pub line: Option<i64>,
    /// The key of its row at the source, where that is known.
    pub source_key: Option<String>,
    /// The run that wrote it where it stands.
    pub run: RunId,
    /// The run that brought it.
    pub origin: RunId,
    /// SHA-256 of the payload.
    pub content_hash: Vec<u8>,
    /// Whether it says that its record was deleted.
    pub deleted: bool,
    /// Whether it is in no view: it is in quarantine, or was.
    pub unfit: bool,
    /// Whether the payload is a record as it was received.
    pub readable: bool,
}

/// A source object with its records.
pub struct StoredObject {
    pub object: String,
    pub system: String,
    pub entity: String,
}

/// The first object after `after` that fits each of the given names.
pub async fn find_object(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    after: &str,
    (object, system, entity): (Option<&str>, Option<&str>, Option<&str>),
) -> Result<Option<StoredObject>> {
    sqlx::query_as!(
        StoredObject,
        r#"
        select object, system, entity
        from source_objects
        where tenant_id = $1 and connection_id = $2 and object > $3
          and ($4::text is null or object = $4)
          and ($5::text is null or system = $5)
          and ($6::text is null or entity = $6)
        order by object
        limit 1
        "#,
        tenant as _,
        connection as _,
        after,
        object,
        system,
        entity,
    )
    .fetch_optional(conn)
    .await
}

/// The next raw records, or of them those that are stored by their contents, or by ids. Held, so that
/// no newer payload comes between.
pub async fn list_raw(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
    by_content: Option<bool>,
) -> Result<Vec<Stored>> {
    sqlx::query_as!(
        Stored,
        r#"
        select source_id place, payload, occurred_at, coalesce(again.line, sized.line) line, source_key,
          content_hash, run_id "run: _", deleted, unfit, true "readable!",
          coalesce(again.origin_run, sized.origin_run, run_id) "origin!: _"
        from (
          select *, sum(octet_length(payload)) over (order by source_id) size
          from (
            select source_id, payload, occurred_at, line, source_key, content_hash, run_id, origin_run,
              deleted, unfit
            from raw_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and source_id > $4
              and not deleted and ($7::boolean is null or starts_with(source_id, 'content:') = $7)
            order by source_id
            limit $5
            for update
          ) next
        ) sized
        -- What does not fit may have come again since, and is in quarantine.
        left join lateral (
          select line, origin_run from quarantined_records
          where sized.unfit and tenant_id = $1 and connection_id = $2 and object = $3
            and content_hash = sized.content_hash offset 0
        ) again on true
        where size - octet_length(payload) < $6
        order by source_id
        "#,
        tenant as _,
        slice.object.connection as _,
        slice.object.name,
        slice.after,
        ROWS,
        BYTES,
        by_content,
    )
    .fetch_all(conn)
    .await
}

/// The next quarantined records. One is readable if its payload was stored to the letter and is
/// a JSON object: a row of a file that could not be cut into cells is not.
pub async fn list_quarantined(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
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
            where tenant_id = $1 and connection_id = $2 and object = $3
              and content_hash > decode($4, 'hex')
            order by content_hash
            limit $5
            for update
          ) next
        ) sized
        where size - octet_length(payload) < $6
        order by content_hash
        "#,
        tenant as _,
        slice.object.connection as _,
        slice.object.name,
        slice.after,
        ROWS,
        BYTES,
    )
    .fetch_all(conn)
    .await
}

/// Gives the next raw records after that place the ids that they have without a mapping, and says
/// where they stood; a record that has such an id already stays. Of two with one content one is left.
///
/// The ids are those of [`prepare`](crate::ingest): `row:` and the hash of the row's key, else
/// `content:` and the hash of the payload.
pub async fn reset(
    conn: &mut Conn,
    tenant: TenantId,
    Slice { object, after }: Slice<'_>,
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        with next as materialized (
          select source_id,
            case
              when source_key is null then 'content:' || encode(content_hash, 'hex')
              else 'row:' || encode(sha256(convert_to(source_key, 'UTF8')), 'hex')
            end id
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and not deleted
            -- What had its turn is not looked at again, so the time grows with the records only.
            and source_id > $5 and source_id not similar to '(row|content):[0-9a-f]{64}'
          order by source_id
          limit $4
          for update
        ),
        ranked as (
          select source_id, id,
            row_number() over (partition by id order by source_id) > 1 or exists (
              select
              from raw_records r
              where r.tenant_id = $1 and r.connection_id = $2 and r.object = $3
                and r.source_id = next.id
            ) taken
          from next
        ),
        moved as (
          update raw_records r
          set source_id = ranked.id, mapping_version = 0
          from ranked
          where r.tenant_id = $1 and r.connection_id = $2 and r.object = $3
            and r.source_id = ranked.source_id and not ranked.taken
        ),
        dropped as (
          delete from raw_records r
          using ranked
          where r.tenant_id = $1 and r.connection_id = $2 and r.object = $3
            and r.source_id = ranked.source_id and ranked.taken
        )
        select source_id
        from ranked
        order by source_id
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        ROWS,
        after,
    )
    .fetch_all(conn)
    .await
}

/// One stored record by the key of its row at the source.
#[derive(Debug)]
pub struct Keyed {
    /// Where it stands among the others: the source id of a record, the hash in hexadecimal of what
    /// is in quarantine.
    pub place: String,
    /// A JSON array of texts; none where its row was not there when all were read.
    pub key: Option<String>,
}

/// Where to go on after a slice; nowhere where it is not full.
pub fn last(slice: &[Keyed]) -> Option<String> {
    let full = i64::try_from(slice.len()).is_ok_and(|it| it == ROWS);
    slice.last().filter(|_| full).map(|it| it.place.clone())
}

/// The next raw records that are not deleted, all rows of the object having been read by keys of
/// that shape. One without such a key stays out where its row is in quarantine.
pub async fn list_raw_keys(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
    shape: &str,
) -> Result<Vec<Keyed>> {
    sqlx::query_as!(
        Keyed,
        r#"
        select source_id place,
          case when starts_with(source_key, $6) then substr(source_key, length($6) + 1) end key
        from raw_records r
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id > $4
          and not deleted
          and (
            starts_with(source_key, $6) or not exists (
              select 1
              from quarantined_records q
              where q.tenant_id = $1 and q.connection_id = $2 and q.object = $3
                and q.source_id = r.source_id
            )
          )
        order by source_id
        limit $5
        "#,
        tenant as _,
        slice.object.connection as _,
        slice.object.name,
        slice.after,
        ROWS,
        shape,
    )
    .fetch_all(conn)
    .await
}

/// The next quarantined records.
pub async fn list_quarantined_keys(
    conn: &mut Conn,
    tenant: TenantId,
    slice: Slice<'_>,
    shape: &str,
) -> Result<Vec<Keyed>> {
    sqlx::query_as!(
        Keyed,
        r#"
        select encode(content_hash, 'hex') "place!",
          case when starts_with(source_key, $6) then substr(source_key, length($6) + 1) end key
        from quarantined_records
        where tenant_id = $1 and connection_id = $2 and object = $3
          and content_hash > decode($4, 'hex')
        order by content_hash
        limit $5
        "#,
        tenant as _,
        slice.object.connection as _,
        slice.object.name,
        slice.after,
        ROWS,
        shape,
    )
    .fetch_all(conn)
    .await
}

/// Records and the keys of their rows.
#[derive(Debug, Default)]
pub struct Rows {
    pub source_ids: Vec<String>,
    pub keys: Vec<String>,
}

/// How many records of an object are stored.
pub async fn count_raw(conn: &mut Conn, tenant: TenantId, object: ObjectKey<'_>) -> Result<u64> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from raw_records
        where tenant_id = $1 and connection_id = $2 and object = $3 and not deleted
        "#,
        tenant as _,
        object.connection as _,
        object.name,
    )
    .fetch_one(conn)
    .await?;
    Ok(count.unsigned_abs())
}

/// How many records of an object are stored, those in quarantine included, up to so many, and
/// whether there may be more.
pub async fn count_some(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    most: i64,
) -> Result<(u64, bool)> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from (
          (select content_hash from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and not deleted limit $4)
          union all
          (select content_hash from quarantined_records
          where tenant_id = $1 and connection_id = $2 and object = $3 limit $4)
          limit $4
        ) counted
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        most,
    )
    .fetch_one(conn)
    .await?;
    Ok((count.unsigned_abs(), most <= count))
}

/// The other records that are stored from these rows: what they were before their ids changed.
///
/// Looked up key by key: PostgreSQL knows how many records all objects have, not how many this one
/// has, and would read all of those for a join.
pub async fn list_left(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    rows: &Rows,
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        select r.source_id
        from unnest($4::text[], $5::text[]) as given(source_id, source_key)
        cross join lateral (
          select source_id
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3
            and md5(source_key) = md5(given.source_key) and source_key = given.source_key
            and source_id <> given.source_id and not deleted
          offset 0
        ) r
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        &rows.source_ids,
        &rows.keys,
    )
    .fetch_all(conn)
    .await
}

/// Rows in quarantine that these records could be of: one of each, with its payload and its key,
/// of at most 8 MiB together.
pub async fn list_waiting(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    source_ids: &[String],
) -> Result<Vec<(String, String)>> {
    let waiting = sqlx::query!(
        r#"
        select payload, source_key "source_key!"
        from (
          select *, sum(octet_length(payload)) over (order by source_id) size
          from (
            select distinct on (source_id) source_id, payload, source_key
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
              and source_key is not null
              and content_hash = sha256(convert_to(payload, 'UTF8'))
            order by source_id, created_at, content_hash
          ) first
        ) sized
        where size <= $5
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids,
        BYTES,
    )
    .fetch_all(conn)
    .await?;
    let waiting = waiting.into_iter().map(|it| (it.payload, it.source_key));
    Ok(waiting.collect())
}

/// The records that are stored from rows with these keys, each looked up by its own.
pub async fn list_ids(
    conn: &mut Conn,
    tenant: TenantId,
    object: ObjectKey<'_>,
    keys: &[&str],
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        select r.source_id
        from unnest($4::text[]) as given(source_key)
        cross join lateral (
          select source_id
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3
            and md5(source_key) = md5(given.source_key) and source_key = given.source_key
            and not deleted
          offset 0
        ) r
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        keys as _,
    )
    .fetch_all(conn)
    .await
}
