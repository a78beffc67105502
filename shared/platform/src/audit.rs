//! The audit log: one row per state change, in the change's own transaction, chained by hash.

use chrono::{DateTime, Utc};
use schema::TenantId;
use serde_json::Value;

use crate::audit_chain::{Hashed, hash};
use crate::{Caller, db, trace};

pub use crate::audit_chain::Verdict;

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
