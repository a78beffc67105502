//! Rows of the audit log.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use schema::{Error, TenantId};
use sqlx::Executor;

use super::Connection;
use crate::audit_chain::{AuditKey, Content, Head, Verdict, unkeyed};

/// Appends an entry, signed with the first of the platform's keys. One that the database does not
/// know yet is made known: by itself in a new database, else by one that is known.
pub(crate) async fn append(
    conn: &mut Connection,
    tenant: TenantId,
    content: &Content<'_>,
    keys: &[AuditKey],
) -> sqlx::Result<()> {
    let key = keys.first().ok_or_else(unknown)?;
    if insert(conn, tenant, content, key).await?.is_some() {
        return Ok(());
    }
    make_known(conn, keys).await?;
    let seq = insert(conn, tenant, content, key).await?;
    seq.map(drop).ok_or_else(unknown)
}

/// Makes the first of these keys known to the database if it was not: by itself in a new database,
/// else by one that is known.
pub(crate) async fn make_known(conn: &mut Connection, keys: &[AuditKey]) -> sqlx::Result<()> {
    let key = keys.first().ok_or_else(unknown)?;
    let is_known = sqlx::query_scalar!(r#"select knows_audit_key($1) "known!""#, key.id());
    let mut is_known = is_known.fetch_one(&mut *conn).await?;
    for endorser in keys {
        is_known = is_known || introduce(conn, key, endorser).await?;
    }
    is_known.then_some(()).ok_or_else(unknown)
}

fn unknown() -> sqlx::Error {
    let detail = "the database knows other platform keys than those of the function's secret";
    sqlx::Error::Configuration(Box::new(Error::Internal(detail.into())))
}

/// Whether one of the keys is known, or none at all is.
pub(crate) async fn recognises(conn: &mut Connection, keys: &[AuditKey]) -> sqlx::Result<bool> {
    let ids: Vec<_> = keys.iter().map(AuditKey::id).collect();
    sqlx::query_scalar!(
        r#"
        select not exists (select from audit_keys)
          or exists (select from audit_keys where id = any($1)) "known!"
        "#,
        &ids,
    )
    .fetch_one(conn)
    .await
}

/// None where the database does not know the key.
async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    content: &Content<'_>,
    key: &AuditKey,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "select append_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant as _,
        content.at,
        content.actor,
        content.action,
        content.object,
        content.before,
        content.after,
        content.trace_id,
        key.id(),
        &key.sign(tenant, content),
    )
    .fetch_one(conn)
    .await
}

/// Makes a key known, endorsed by another one. Says whether it is.
async fn introduce(
    conn: &mut Connection,
    key: &AuditKey,
    endorser: &AuditKey,
) -> sqlx::Result<bool> {
    let [inner, outer] = key.blocks();
    sqlx::query_scalar!(
        r#"select introduce_audit_key($1, $2, $3, $4, $5) "known!""#,
        key.id(),
        inner,
        outer,
        endorser.id(),
        &endorser.endorse(key),
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

/// The end of a tenant's chain.
#[derive(Debug)]
pub struct Anchor {
    /// Whose chain.
    pub tenant: TenantId,
    /// The number of its last entry.
    pub seq: i64,
    /// That entry's hash.
    pub hash: Vec<u8>,
}

/// The ends that have moved lately, of all tenants, in a transaction of [`super::begin_sweep`]: a
/// policy says what is lately.
pub(crate) async fn list_moved_heads(conn: &mut Connection) -> sqlx::Result<Vec<Anchor>> {
    sqlx::query_as!(
        Anchor,
        r#"select tenant_id "tenant: _", seq, hash from audit_heads order by tenant_id"#,
    )
    .fetch_all(conn)
    .await
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
    key_id: Option<Vec<u8>>,
    hash: Vec<u8>,
}

impl Row {
    fn content(&self) -> Content<'_> {
        Content {
            at: self.at,
            actor: &self.actor,
            action: &self.action,
            object: &self.object,
            before: self.before.as_deref(),
            after: self.after.as_deref(),
            trace_id: &self.trace_id,
        }
    }

    /// Whether the row is what came after the last one. Without a key it is from before there were
    /// keys, and nothing with one came before it.
    fn follows(&self, last: &Head, keyed: bool, tenant: TenantId, keys: &[AuditKey]) -> bool {
        let content = self.content();
        let hash = match &self.key_id {
            Some(id) => match keys.iter().find(|it| it.id() == *id) {
                Some(key) => key.link(last, tenant, &content).to_vec(),
                None => return false,
            },
            None if keyed => return false,
            None => unkeyed(last, tenant, &content),
        };
        self.seq == last.seq + 1 && self.hash == hash
    }
}

/// Walks the tenant's chain from its first row to its end. Call it first in the transaction.
///
/// It sees the log as it is now, and holds nobody back who writes meanwhile.
pub(crate) async fn verify(
    conn: &mut Connection,
    tenant: TenantId,
    keys: &[AuditKey],
) -> sqlx::Result<Verdict> {
    conn.execute("set transaction isolation level repeatable read")
        .await?;
    let end = find_head(conn, tenant).await?.unwrap_or(Head::start());
    let mut rows = sqlx::query_as!(
        Row,
        r#"
        select seq, at, actor, action, object, before::text, after::text, trace_id, key_id, hash
        from audit_log
        where tenant_id = $1
        order by seq
        "#,
        tenant as _,
    )
    .fetch(&mut *conn);
    let (mut last, mut keyed) = (Head::start(), false);
    while let Some(row) = rows.try_next().await? {
        if !row.follows(&last, keyed, tenant, keys) {
            return Ok(Verdict {
                intact: false,
                rows: last.seq,
                broken_at: Some(row.seq),
            });
        }
        keyed = row.key_id.is_some();
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
