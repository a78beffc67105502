//! Records that could not be mapped, with the reason.

use chrono::{DateTime, Utc};
use schema::{ConnectionId, RunId, TenantId};

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
    /// What is wrong.
    pub reason: &'a str,
    /// The payload, storable.
    pub payload: &'a str,
}

/// Keeps records aside. One whose payload is there already is kept once, with what is known now.
/// Give them sorted by hash, each hash once.
pub async fn upsert(
    conn: &mut Connection,
    tenant: TenantId,
    (connection, object, run): (ConnectionId, &str, RunId),
    rows: &[NewQuarantined<'_>],
    now: DateTime<Utc>,
) -> Result<()> {
    let hashes: Vec<_> = rows.iter().map(|it| it.content_hash).collect();
    let lines: Vec<_> = rows
        .iter()
        .map(|it| it.line.and_then(|it| i64::try_from(it).ok()))
        .collect();
    let fields: Vec<_> = rows.iter().map(|it| it.field).collect();
    let reasons: Vec<_> = rows.iter().map(|it| it.reason).collect();
    let payloads: Vec<_> = rows.iter().map(|it| it.payload).collect();
    sqlx::query!(
        r#"
        insert into quarantined_records
          (tenant_id, connection_id, object, content_hash, id, run_id, line, field, reason,
           payload, created_at, last_seen_at)
        select $1, $2, $3, content_hash, gen_random_uuid(), $4, line, field, reason, payload, $5, $5
        from unnest($6::bytea[], $7::bigint[], $8::text[], $9::text[], $10::text[])
          as given(content_hash, line, field, reason, payload)
        on conflict (tenant_id, connection_id, object, content_hash) do update set
          run_id = excluded.run_id,
          line = excluded.line,
          field = excluded.field,
          reason = excluded.reason,
          last_seen_at = excluded.last_seen_at
        "#,
        tenant as _,
        connection as _,
        object,
        run as _,
        now,
        hashes as _,
        lines as _,
        fields as _,
        reasons as _,
        payloads as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes out the payloads that came again and were no longer rejected.
pub async fn delete(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    object: &str,
    hashes: &[&[u8]],
) -> Result<()> {
    sqlx::query!(
        r#"
        delete from quarantined_records
        where tenant_id = $1 and connection_id = $2 and object = $3 and content_hash = any($4)
        "#,
        tenant as _,
        connection as _,
        object,
        hashes as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
