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
    /// Whether the source deleted it.
    pub deleted: bool,
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
}

impl<'a> Columns<'a> {
    fn of(rows: &[NewRaw<'a>]) -> Columns<'a> {
        Columns {
            ids: rows.iter().map(|it| it.source_id).collect(),
            payloads: rows.iter().map(|it| it.payload).collect(),
            hashes: rows.iter().map(|it| it.content_hash).collect(),
            versions: rows.iter().map(|it| it.version).collect(),
            deleted: rows.iter().map(|it| it.deleted).collect(),
            keys: rows.iter().map(|it| it.source_key).collect(),
            times: rows.iter().map(|it| it.occurred_at).collect(),
            origins: rows.iter().map(|it| it.origin).collect(),
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
          run_id "run_id: _", coalesce(origin_run, run_id) "origin!: _", source_key, deleted
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
           mapping_version, run_id, deleted, received_at, source_key, occurred_at, origin_run)
        select $1, $2, $3, id, payload, hash, version, $4, $5, deleted, $6, key, occurred_at,
          coalesce(origin, $5)
        from unnest($7::text[], $8::text[], $9::bytea[], $10::timestamptz[], $11::boolean[],
            $12::text[], $13::timestamptz[], $14::uuid[])
          as given(id, payload, hash, version, deleted, key, occurred_at, origin)
        on conflict (tenant_id, connection_id, object, source_id) do update set
          payload = case when excluded.deleted then kept.payload else excluded.payload end,
          content_hash = excluded.content_hash, mapping_version = excluded.mapping_version,
          run_id = excluded.run_id, origin_run = excluded.origin_run, deleted = excluded.deleted,
          received_at = excluded.received_at, occurred_at = excluded.occurred_at,
          source_key = coalesce(excluded.source_key, kept.source_key),
          -- What another mapping reads again has the version that this one reads.
          source_version = case when (excluded.content_hash = kept.content_hash
              and excluded.mapping_version <> kept.mapping_version) then excluded.source_version
            else coalesce(excluded.source_version, kept.source_version) end
        -- And is no older than itself.
        where excluded.content_hash = kept.content_hash
            and excluded.mapping_version <> kept.mapping_version
          or kept.source_version > $6 or kept.source_version <= $15
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
           mapping_version, run_id, deleted, received_at, source_key, occurred_at, origin_run)
        select $1, $2, $3, id, payload, hash, version, $4, $5, false, $6, key, occurred_at,
          coalesce(origin, $5)
        from unnest($7::text[], $8::text[], $9::bytea[], $10::timestamptz[], $11::text[],
            $12::timestamptz[], $13::uuid[])
          as given(id, payload, hash, version, key, occurred_at, origin)
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
