//! Rows of the audit log.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use schema::TenantId;
use sqlx::Executor;

use super::Connection;
use crate::audit_chain::{Hashed, Head, Verdict, hash};

pub(crate) async fn lock_head(conn: &mut Connection, tenant: TenantId) -> sqlx::Result<Head> {
    sqlx::query_as!(
        Head,
        r#"
        insert into audit_heads as head (tenant_id, seq, hash)
        values ($1, 0, $2)
        on conflict (tenant_id) do update set seq = head.seq
        returning seq, hash
        "#,
        tenant as _,
        &[0u8; 32],
    )
    .fetch_one(conn)
    .await
}

async fn find_head(conn: &mut Connection, tenant: TenantId) -> sqlx::Result<Option<Head>> {
    sqlx::query_as!(
        Head,
        "select seq, hash from audit_heads where tenant_id = $1",
        tenant as _,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    row: &Hashed<'_>,
    hash: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        with head as (
          update audit_heads set seq = $2, hash = $10 where tenant_id = $1
        )
        insert into audit_log
          (tenant_id, seq, at, actor, action, object, before, after, trace_id, hash)
        values ($1, $2, $3, $4, $5, $6, $7::text::json, $8::text::json, $9, $10)
        "#,
        tenant as _,
        row.seq,
        row.at,
        row.actor,
        row.action,
        row.object,
        row.before,
        row.after,
        row.trace_id,
        hash,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    seq: i64,
    at: DateTime<Utc>,
    actor: String,
    action: String,
    object: String,
    before: Option<String>,
    after: Option<String>,
    trace_id: String,
    hash: Vec<u8>,
}

/// Walks the tenant's chain from its first row to its end. Call it first in the transaction.
///
/// It sees the log as it is now, and holds nobody back who writes meanwhile.
pub async fn verify(conn: &mut Connection, tenant: TenantId) -> sqlx::Result<Verdict> {
    conn.execute("set transaction isolation level repeatable read")
        .await?;
    let end = find_head(conn, tenant).await?.unwrap_or(Head::start());
    let mut rows = sqlx::query_as!(
        Row,
        r#"
        select seq, at, actor, action, object, before::text, after::text, trace_id, hash
        from audit_log
        where tenant_id = $1
        order by seq
        "#,
        tenant as _,
    )
    .fetch(&mut *conn);
    let mut last = Head::start();
    while let Some(row) = rows.try_next().await? {
        let hashed = Hashed {
            seq: last.seq + 1,
            at: row.at,
            actor: &row.actor,
            action: &row.action,
            object: &row.object,
            before: row.before.as_deref(),
            after: row.after.as_deref(),
            trace_id: &row.trace_id,
        };
        if row.seq != last.seq + 1 || row.hash != hash(&last.hash, tenant, &hashed) {
            return Ok(Verdict {
                intact: false,
                rows: last.seq,
                broken_at: Some(row.seq),
            });
        }
        last = Head {
            seq: row.seq,
            hash: row.hash,
        };
    }
    let broken_at = broken_at(&last, &end);
    Ok(Verdict {
        intact: broken_at.is_none(),
        rows: last.seq,
        broken_at,
    })
}

/// Where a chain without a gap differs from the end that was noted for it.
fn broken_at(last: &Head, end: &Head) -> Option<i64> {
    match last.seq.cmp(&end.seq) {
        // A tenant begins with a row: without one they were all taken away.
        Ordering::Equal if last.seq == 0 => Some(1),
        Ordering::Equal => (last.hash != end.hash).then_some(last.seq),
        Ordering::Less => Some(last.seq + 1),
        Ordering::Greater => Some(end.seq + 1),
    }
}
