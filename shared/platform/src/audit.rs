//! The audit log: one row per state change, in the change's own transaction, chained by hash.

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use schema::TenantId;
use serde_json::Value;

use crate::{Caller, db, trace};

/// One state change.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When, to the microsecond.
    pub at: DateTime<Utc>,
    /// Who: `user:<id>`, `api-key:<id>` or `system`.
    pub actor: String,
    /// What was done: `connection.create`.
    pub action: &'static str,
    /// To what: `connection:<id>`.
    pub object: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it became.
    pub after: Option<Value>,
}

/// Where the chain of a tenant ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Number of the last row; 0 before the first.
    pub(crate) seq: i64,
    /// Hash of the last row; 32 zeros before the first.
    pub(crate) hash: Vec<u8>,
}

impl Head {
    /// Before the first row.
    pub(crate) fn start() -> Head {
        Head {
            seq: 0,
            hash: vec![0; 32],
        }
    }
}

/// A row as the hash covers it. JSON is a text here: parsed and written again, a number may not
/// be the same.
pub(crate) struct Hashed<'a> {
    pub(crate) seq: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) object: &'a str,
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    pub(crate) trace_id: &'a str,
}

impl Entry {
    /// A change that a caller makes now.
    pub fn new(caller: &Caller, action: &'static str, object: String) -> Entry {
        Entry {
            at: crate::now(),
            actor: caller.actor(),
            action,
            object,
            before: None,
            after: None,
        }
    }

    /// With what it was.
    pub fn before(self, before: Value) -> Entry {
        Entry {
            before: Some(before),
            ..self
        }
    }

    /// With what it became.
    pub fn after(self, after: Value) -> Entry {
        Entry {
            after: Some(after),
            ..self
        }
    }
}

/// Appends to the tenant's chain. Call it last in the transaction: it holds the chain's end
/// until the commit.
pub async fn append(
    conn: &mut db::Connection,
    tenant: TenantId,
    entry: &Entry,
) -> sqlx::Result<()> {
    let head = db::audit::lock_head(conn, tenant).await?;
    let trace_id = trace::id();
    let [before, after] = [&entry.before, &entry.after].map(|it| it.as_ref().map(Value::to_string));
    let row = Hashed {
        seq: head.seq + 1,
        at: entry.at,
        actor: &entry.actor,
        action: entry.action,
        object: &entry.object,
        before: before.as_deref(),
        after: after.as_deref(),
        trace_id: &trace_id,
    };
    let hash = hash(&head.hash, tenant, &row);
    db::audit::insert(conn, tenant, &row, &hash).await
}

/// SHA-256 over the previous hash, the tenant and the row's fields, each with its length before
/// it.
pub(crate) fn hash(previous: &[u8], tenant: TenantId, row: &Hashed<'_>) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in [
        previous,
        tenant.0.as_bytes(),
        &row.seq.to_be_bytes(),
        &row.at.timestamp_micros().to_be_bytes(),
        row.actor.as_bytes(),
        row.action.as_bytes(),
        row.object.as_bytes(),
        row.before.unwrap_or_default().as_bytes(),
        row.after.unwrap_or_default().as_bytes(),
        row.trace_id.as_bytes(),
    ] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

/// The result of verifying a tenant's audit log.
#[derive(Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Verdict {
    /// Whether no entry was changed or removed.
    pub intact: bool,
    /// The number of entries that were verified.
    pub rows: i64,
    /// The first entry that was changed, is missing at the end, or whose predecessor is missing.
    pub broken_at: Option<i64>,
}
