//! Records that could not be mapped, with the reason.

use chrono::{DateTime, Utc};
use schema::source::ObjectKey;
use schema::{RunId, TenantId};
use uuid::Uuid;

use super::{Connection, Result};

/// One record to keep aside.
#[derive(Debug, Clone)]
pub struct NewQuarantined<'a> {
    /// SHA-256 of the payload as received.
    pub content_hash: &'a [u8],
    /// Where in the file it stood.
    pub line: Option<u64>,
    /// The field that is wrong; none where the whole record is.
    pub field: Option<&'a str>,
    /// An error, as `application/problem+json`.
    pub reason: &'a str,
    /// The payload, storable.
    pub payload: &'a str,
    /// The source's id of it, where that could be read.
    pub source_id: Option<&'a str>,
    /// The key of its row at the source, where that is known.
    pub source_key: Option<&'a str>,
    /// The source's version of it, if the source has versions.
    pub version: Option<DateTime<Utc>>,
    /// When it happened at its source, where that is said beside it.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The run that brought it, where that is an earlier one.
    pub origin: Option<RunId>,
    /// Whether it says that its record was deleted.
    pub deleted: bool,
}

/// Records that were not rejected.
#[derive(Debug, Clone, Default)]
pub struct Superseded<'a> {
    /// SHA-256 of their payloads: the same are taken out.
    pub hashes: Vec<&'a [u8]>,
    /// Ids of those that were written: what is no newer of them is taken out.
    pub source_ids: Vec<&'a str>,
    /// The version of each id.
    pub versions: Vec<Option<DateTime<Utc>>>,
    /// SHA-256 of what was rejected after them, and stays.
    pub rejected_since: Vec<&'a [u8]>,
    /// A run whose own rejections stay.
    pub of_run: Option<RunId>,
    /// SHA-256 of older versions, which stay stored in no view.
    pub older: Vec<&'a [u8]>,
    /// Keys of all rows that came: what is there of them from before is taken out,
    pub source_keys: Vec<&'a str>,
    /// but not this: SHA-256 of what was rejected.
    pub rejected: Vec<&'a [u8]>,
}

/// Keeps records aside. One whose payload is there already is kept once, with what is known now.
/// Give them sorted by hash, each hash once, and of each its group.
pub async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    (object, run): (ObjectKey<'_>, RunId),
    (rows, groups): (&[&NewQuarantined<'_>], &[Uuid]),
    now: DateTime<Utc>,
) -> Result<()> {
    let hashes: Vec<_> = rows.iter().map(|it| it.content_hash).collect();
    let line = |it: &&NewQuarantined<'_>| i64::try_from(it.line?).ok();
    let lines: Vec<_> = rows.iter().map(line).collect();
    let fields: Vec<_> = rows.iter().map(|it| it.field).collect();
    let reasons: Vec<_> = rows.iter().map(|it| it.reason).collect();
    let source_ids: Vec<_> = rows.iter().map(|it| it.source_id).collect();
    let versions: Vec<_> = rows.iter().map(|it| it.version).collect();
    let keys: Vec<_> = rows.iter().map(|it| it.source_key).collect();
    sqlx::query!(
        r#"
        insert into quarantined_records as kept
          (tenant_id, connection_id, object, content_hash, id, run_id, line, field, reason, payload,
           created_at, last_seen_at, source_id, source_version, source_key, group_id, occurred_at,
           origin_run, deleted)
        select $1, $2, $3, hash, gen_random_uuid(), $4, line, field, reason, payload, $5, $5,
          id, version, key, "group", occurred_at, coalesce(origin, $4), deleted
        from unnest($6::bytea[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[],
            $12::timestamptz[], $13::text[], $14::uuid[], $15::timestamptz[], $16::uuid[], $17::boolean[])
          as given(hash, line, field, reason, payload, id, version, key, "group", occurred_at,
            origin, deleted)
        on conflict (tenant_id, connection_id, object, content_hash) do update set
          run_id = excluded.run_id, origin_run = excluded.origin_run, line = excluded.line,
          field = excluded.field, reason = excluded.reason, group_id = excluded.group_id,
          last_seen_at = excluded.last_seen_at,
          -- A delete that comes late takes nothing back.
          occurred_at = case when excluded.deleted and kept.deleted
            then greatest(excluded.occurred_at, kept.occurred_at) else excluded.occurred_at end,
          source_id = excluded.source_id, deleted = excluded.deleted,
          source_version = coalesce(excluded.source_version, kept.source_version),
          source_key = coalesce(excluded.source_key, kept.source_key)
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        run as _,
        now,
        hashes as _,
        lines as _,
        fields as _,
        reasons as _,
        &rows.iter().map(|it| it.payload).collect::<Vec<_>>() as _,
        source_ids as _,
        versions as _,
        keys as _,
        groups as _,
        &rows.iter().map(|it| it.occurred_at).collect::<Vec<_>>() as _,
        &rows.iter().map(|it| it.origin).collect::<Vec<_>>() as _,
        &rows.iter().map(|it| it.deleted).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes out what came again and was no longer rejected, and what a later record replaces; with it
/// what is stored of it by its content, in no view. What another batch has in its hands is that one's
/// affair: nobody waits here. Rows are found by place, so that each of the three has its own index; by
/// its id only one without a key, as the others are of other rows, or found by the key.
pub async fn delete(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    settled: &Superseded<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        with gone as (
        delete from quarantined_records
        where tenant_id = $1 and ctid = any(
          array(
            select ctid
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and content_hash = any($4)
            for update skip locked
          ) || array(
            select ctid
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = $3 and source_id = any($5)
              and content_hash <> all($7) and run_id is distinct from $10
              and source_key is null
              -- Where one of the two has no version, the later one to come is the newer.
              and coalesce(source_version <= ($6::timestamptz[])[array_position($5, source_id)], true)
            for update skip locked
          ) || array(
            select ctid
            from quarantined_records
            where tenant_id = $1 and connection_id = $2 and object = $3
              and md5(source_key) = any(array(select md5(key) from unnest($8::text[]) key))
              and source_key = any($8) and content_hash <> all($9)
            for update skip locked
          )
        )
        returning content_hash
        )
        delete from raw_records
        where tenant_id = $1 and connection_id = $2 and object = $3 and unfit
          and source_id = any(array(
            select 'content:' || encode(content_hash, 'hex') from gone where content_hash <> all($11)
          ))
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        &settled.hashes as _,
        &settled.source_ids as _,
        &settled.versions as _,
        &settled.rejected_since as _,
        &settled.source_keys as _,
        &settled.rejected as _,
        settled.of_run as _,
        &settled.older as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes records out of the quarantine, by their hashes in hexadecimal.
pub async fn discard(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    hashes: &[String],
) -> Result<()> {
    sqlx::query!(
        r#"
        delete from quarantined_records
        where tenant_id = $1 and connection_id = $2 and object = $3
          and content_hash = any(array(select decode(hash, 'hex') from unnest($4::text[]) hash))
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        hashes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes out of the quarantine what rows with these keys are there.
pub async fn delete_by_keys(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    keys: &[&str],
) -> Result<()> {
    sqlx::query!(
        r#"
        delete from quarantined_records
        where tenant_id = $1 and connection_id = $2 and object = $3
          and md5(source_key) = any(array(select md5(key) from unnest($4::text[]) key))
          and source_key = any($4)
        "#,
        tenant as _,
        object.connection as _,
        object.name,
        keys as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
