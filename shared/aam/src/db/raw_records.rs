//! The latest payload of each source record, as received.

use chrono::{DateTime, Utc};
use schema::source::ObjectKey;
use schema::{RunId, TenantId};

use super::{Connection, Result};

/// What is stored of one record, without its payload.
#[derive(Debug, Clone)]
pub struct Known {
    /// The source's id of it.
    pub source_id: String,
    /// SHA-256 of the payload.
    pub content_hash: Vec<u8>,
    /// The source's version of it, if the source has versions.
    pub version: Option<DateTime<Utc>>,
    /// The mapping that it was last read with.
    pub mapping_version: i32,
    /// The run that wrote it.
    pub run_id: RunId,
    /// The run that brought it.
    pub origin: RunId,
    /// The key of its row at the source, where that is known.
    pub source_key: Option<String>,
    /// Where it stood in its file.
    pub line: Option<i64>,
    /// Whether the source deleted it.
    pub deleted: bool,
    /// Whether it is in no view, as the mapping in force does not take it.
    pub unfit: bool,
}

/// One record to store.
#[derive(Debug, Clone, Copy)]
pub struct NewRaw<'a> {
    /// The source's id of it.
    pub source_id: &'a str,
    /// The key of its row at the source, where that is known.
    pub source_key: Option<&'a str>,
    /// The payload as received.
    pub payload: &'a str,
    /// SHA-256 of the payload.
    pub content_hash: &'a [u8],
    /// The source's version of it, if the source has versions.
    pub version: Option<DateTime<Utc>>,
    /// When it happened at its source, where that is said beside it.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The run that brought it, where that is an earlier one.
    pub origin: Option<RunId>,
    /// Where it stood in its file.
    pub line: Option<u64>,
    /// Whether the source deleted it.
    pub deleted: bool,
}

/// What all records of one batch share.
#[derive(Debug, Clone, Copy)]
pub struct RawBatch<'a> {
    /// The source object they are of.
    pub object: ObjectKey<'a>,
    /// The passage that brings them.
    pub run: RunId,
    /// The mapping that they were read with.
    pub mapping_version: i32,
    /// When they were so at their source, where that is known: they are stale only against what
    /// is newer.
    pub as_of: Option<DateTime<Utc>>,
    /// When they came.
    pub now: DateTime<Utc>,
}

/// The rows of a batch, column by column.
struct Columns<'a> {
    ids: Vec<&'a str>,
    payloads: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
    versions: Vec<Option<DateTime<Utc>>>,
    deleted: Vec<bool>,
    keys: Vec<Option<&'a str>>,
    times: Vec<Option<DateTime<Utc>>>,
    origins: Vec<Option<RunId>>,
    lines: Vec<Option<i64>>,
}

impl<'a> Columns<'a> {
    fn of(rows: &[NewRaw<'a>]) -> Columns<'a> {
        let line = |it: &NewRaw<'_>| i64::try_from(it.line?).ok();
        Columns {
            ids: rows.iter().map(|it| it.source_id).collect(),
            payloads: rows.iter().map(|it| it.payload).collect(),
            hashes: rows.iter().map(|it| it.content_hash).collect(),
            versions: rows.iter().map(|it| it.version).collect(),
            deleted: rows.iter().map(|it| it.deleted).collect(),
            keys: rows.iter().map(|it| it.source_key).collect(),
            times: rows.iter().map(|it| it.occurred_at).collect(),
            origins: rows.iter().map(|it| it.origin).collect(),
            lines: rows.iter().map(line).collect(),
        }
    }
}

/// What is stored under these ids.
pub async fn list_known(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    source_ids: &[&str],
) -> Result<Vec<Known>> {
    sqlx::query_as!(
        Known,
        r#"
        select source_id, content_hash, source_version "version", mapping_version,
          run_id "run_id: _", coalesce(origin_run, run_id) "origin!: _", source_key, line,
          deleted, unfit
        from raw_records
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids as _,
    )
    .fetch_all(conn)
    .await
}

/// Stores the records and returns the ids of those that were written: the others have a newer
/// version, which came in the meantime. Give them sorted by id, each id once.
///
/// A deleted record keeps its last payload. From here to the end of the transaction the row of
/// each id is locked, so whoever writes more about these ids needs no lock of its own.
pub async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    batch: &RawBatch<'_>,
    rows: &[NewRaw<'_>],
) -> Result<Vec<String>> {
    let columns = Columns::of(rows);
    sqlx::query_scalar!(
        r#"
        insert into raw_records as kept
          (tenant_id, connection_id, object, source_id, payload, content_hash, source_version,
           mapping_version, run_id, deleted, received_at, source_key, occurred_at, origin_run,
           line)
        select $1, $2, $3, id, payload, hash, version, $4, $5, deleted, $6, key, occurred_at,
          coalesce(origin, $5), line
        from unnest($7::text[], $8::text[], $9::bytea[], $10::timestamptz[], $11::boolean[],
            $12::text[], $13::timestamptz[], $14::uuid[], $16::bigint[])
          as given(id, payload, hash, version, deleted, key, occurred_at, origin, line)
        on conflict (tenant_id, connection_id, object, source_id) do update set
          payload = case when excluded.deleted then kept.payload else excluded.payload end,
          content_hash = excluded.content_hash, mapping_version = excluded.mapping_version,
          run_id = excluded.run_id, origin_run = excluded.origin_run, deleted = excluded.deleted,
          line = excluded.line, unfit = false,
          received_at = excluded.received_at, occurred_at = excluded.occurred_at,
          source_key = coalesce(excluded.source_key, kept.source_key),
          -- What another mapping reads again has the version that this one reads.
          source_version = case when (excluded.content_hash = kept.content_hash
              and excluded.mapping_version <> kept.mapping_version) or kept.unfit
            then excluded.source_version else coalesce(excluded.source_version, kept.source_version) end
        -- And is no older than itself.
        where excluded.content_hash = kept.content_hash
            and excluded.mapping_version <> kept.mapping_version
          or kept.unfit or kept.source_version > $6 or kept.source_version <= $15
          or case when excluded.source_version <> kept.source_version
              then excluded.source_version > kept.source_version
            -- Ids of runs rise with time, and what is replayed came with an earlier one.
            else excluded.origin_run
              >= least(excluded.run_id, coalesce(kept.origin_run, kept.run_id)) end
        returning source_id
        "#,
        tenant as _,
        batch.object.connection as _,
        batch.object.name,
        batch.mapping_version,
        batch.run as _,
        batch.now,
        columns.ids as _,
        columns.payloads as _,
        columns.hashes as _,
        columns.versions as _,
        columns.deleted as _,
        columns.keys as _,
        columns.times as _,
        columns.origins as _,
        batch.as_of,
        columns.lines as _,
    )
    .fetch_all(conn)
    .await
}

/// Stores records of ids that none is stored under. Give them sorted by id, each id once.
///
/// # Errors
/// Those of the database, a unique violation where one has come in the meantime.
pub(super) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    batch: &RawBatch<'_>,
    rows: &[NewRaw<'_>],
) -> Result<()> {
    let columns = Columns::of(rows);
    sqlx::query!(
        r#"
        insert into raw_records
          (tenant_id, connection_id, object, source_id, payload, content_hash, source_version,
           mapping_version, run_id, deleted, received_at, source_key, occurred_at, origin_run,
           line)
        select $1, $2, $3, id, payload, hash, version, $4, $5, false, $6, key, occurred_at,
          coalesce(origin, $5), line
        from unnest($7::text[], $8::text[], $9::bytea[], $10::timestamptz[], $11::text[],
            $12::timestamptz[], $13::uuid[], $14::bigint[])
          as given(id, payload, hash, version, key, occurred_at, origin, line)
        "#,
        tenant as _,
        batch.object.connection as _,
        batch.object.name,
        batch.mapping_version,
        batch.run as _,
        batch.now,
        columns.ids as _,
        columns.payloads as _,
        columns.hashes as _,
        columns.versions as _,
        columns.keys as _,
        columns.times as _,
        columns.origins as _,
        columns.lines as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A record that was stored, and is kept aside.
#[derive(Debug)]
pub struct SetAside {
    /// The source's id of it.
    pub source_id: String,
    /// The payload as received.
    pub payload: String,
    /// SHA-256 of the payload.
    pub content_hash: Vec<u8>,
    /// The source's version of it, if the source has versions.
    pub version: Option<DateTime<Utc>>,
    /// When it happened at its source, where that is said beside it.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The run that brought it.
    pub origin: RunId,
    /// Where it stood in its file.
    pub line: Option<i64>,
}

/// Keeps records that are stored with these contents by the hashes of those, in no view, as others are
/// about to take their places. Give ids and hashes in the same order.
pub async fn set_aside(
    conn: &mut Connection,
    tenant: TenantId,
    (object, run): (ObjectKey<'_>, RunId),
    (source_ids, content_hashes): (&[&str], &[&[u8]]),
) -> Result<Vec<SetAside>> {
    sqlx::query_as!(
        SetAside,
        r#"
        with row as materialized (
          select source_id, payload, content_hash, source_version, mapping_version, received_at,
            occurred_at, coalesce(origin_run, run_id) origin_run, line
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
            and content_hash = ($5::bytea[])[array_position($4, source_id)] and not deleted
          order by source_id
          for update
        ), kept as (
          insert into raw_records
            (tenant_id, connection_id, object, source_id, payload, content_hash, source_version,
             mapping_version, run_id, received_at, occurred_at, origin_run, line, unfit)
          select $1, $2, $3, 'content:' || encode(content_hash, 'hex'), payload, content_hash,
            source_version, mapping_version, $6, received_at, occurred_at, origin_run, line, true
          from row
          on conflict do nothing
        )
        select source_id "source_id!", payload "payload!", content_hash "content_hash!",
          source_version version, occurred_at, origin_run "origin!: _", line
        from row
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids as _,
        content_hashes as _,
        run as _,
    )
    .fetch_all(conn)
    .await
}

/// Notes that the mapping in force does not take these records, where they still have these contents,
/// and says of which that is so.
pub async fn set_unfit(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (source_ids, content_hashes): (&[&str], &[&[u8]]),
) -> Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"
        update raw_records
        set unfit = true
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
          and content_hash = ($5::bytea[])[array_position($4, source_id)]
        returning source_id
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids as _,
        content_hashes as _,
    )
    .fetch_all(conn)
    .await
}

/// Takes raw records out that are stored under another id by now, or whose record was deleted. Of one
/// whose record has a newer version the content stays, in no view: another mapping may tell the two
/// apart. Give places and ids in the same order.
pub async fn delete_moved(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (places, ids): (&[&str], &[&str]),
) -> Result<()> {
    sqlx::query!(
        r#"
        with moved as materialized (
          select place.source_id, place.source_id similar to '(row|content):[0-9a-f]{64}'
            and not exists (
              select
              from raw_records r
              where r.tenant_id = $1 and r.connection_id = $2 and r.object = $3
                and r.source_id = given.id and (r.deleted or r.content_hash = place.content_hash)
            ) is_older
          from unnest($4::text[], $5::text[]) as given(place, id)
          cross join lateral (
            select source_id, content_hash
            from raw_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = given.place
            offset 0
          ) place
        ), gone as (
          delete from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3
            and source_id = any(array(select source_id from moved where not is_older))
        )
        update raw_records
        set unfit = true
        where tenant_id = $1 and connection_id = $2 and object = $3
          and source_id = any(array(select source_id from moved where is_older))
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        places as _,
        ids as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes the keys of records that were stored without one. Give ids and keys in the same order.
pub async fn set_keys(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    (source_ids, keys): (&[&str], &[&str]),
) -> Result<()> {
    sqlx::query!(
        r#"
        update raw_records
        set source_key = ($5::text[])[array_position($4::text[], source_id)]
        -- No join: PostgreSQL does not know how many records this object has, and may read them all.
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any(array(
          select source_id
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
            and source_key is null
          order by source_id
          for update
        ))
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids as _,
        keys as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that these records came with that run as well, before these lines of its file. Give ids and
/// lines in the same order.
pub async fn set_origin(
    conn: &mut Connection,
    tenant: TenantId,
    (object, run): (ObjectKey<'_>, RunId),
    (source_ids, lines): (&[&str], &[i64]),
) -> Result<()> {
    sqlx::query!(
        r#"
        update raw_records
        set origin_run = $6, line = ($5::bigint[])[array_position($4::text[], source_id)] - 1
        -- No join: as above.
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any(array(
          select source_id
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
            and coalesce(origin_run, run_id) <> $6
          order by source_id
          for update
        ))
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids as _,
        lines,
        run as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Lets other rows have these records: those that they are stored from, by these keys, are gone, or
/// have another id by now.
pub async fn release(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    released: &[(String, String)],
) -> Result<()> {
    let source_ids: Vec<_> = released.iter().map(|it| it.0.as_str()).collect();
    let keys: Vec<_> = released.iter().map(|it| it.1.as_str()).collect();
    sqlx::query!(
        r#"
        update raw_records
        set source_key = null
        where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any(array(
          select source_id
          from raw_records
          where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($4)
            and source_key = ($5::text[])[array_position($4::text[], source_id)]
          order by source_id
          for update
        ))
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        source_ids as _,
        keys as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
