//! The audit log: one row per state change, in the change's own transaction, chained by hash.
//!
//! **Invariant:** an entry is signed here, with a key that the database's roles do not read, and
//! chained there, by a function that takes nothing else. So SQL that is not ours appends nothing.

use chrono::{DateTime, Utc};
use schema::TenantId;
use serde_json::Value;

use crate::audit_chain::Content;
use crate::{Caller, db, trace};

pub use crate::audit_chain::{Signer, Verdict};
pub use crate::db::audit::Anchor;

/// One state change.
#[derive(Debug, Clone)]
pub struct Entry {
    signer: Signer,
    at: DateTime<Utc>,
    actor: String,
    action: &'static str,
    object: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Entry {
    /// A change that a caller makes now: `connection.create` of `connection:<id>`.
    pub fn new(caller: &Caller, action: &'static str, object: String) -> Entry {
        let (signer, actor) = (caller.signer.clone(), caller.actor());
        Entry::of(signer, actor, (action, object), crate::now())
    }

    /// A change that somebody makes who is no caller: the actor is `user:<id>` or `system`.
    pub fn of(
        signer: Signer,
        actor: String,
        (action, object): (&'static str, String),
        at: DateTime<Utc>,
    ) -> Entry {
        Entry {
            signer,
            at,
            actor,
            action,
            object,
            before: None,
            after: None,
        }
    }

    /// Who made the change.
    pub fn actor(&self) -> &str {
        &self.actor
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
    let trace_id = trace::id();
    let [before, after] = [&entry.before, &entry.after].map(|it| it.as_ref().map(Value::to_string));
    let content = Content {
        at: entry.at,
        actor: &entry.actor,
        action: entry.action,
        object: &entry.object,
        before: before.as_deref(),
        after: after.as_deref(),
        trace_id: &trace_id,
    };
    db::audit::append(conn, tenant, &content, &entry.signer.keys()).await
}

/// Whether the database is new, or was written with one of the signer's keys. Ask it as the owner of
/// the tables.
pub async fn recognises(conn: &mut db::Connection, signer: &Signer) -> sqlx::Result<bool> {
    db::audit::recognises(conn, &signer.keys()).await
}

/// Walks the tenant's chain from its first row to its end. Call it first in the transaction.
pub async fn verify(
    conn: &mut db::Connection,
    tenant: TenantId,
    signer: &Signer,
) -> sqlx::Result<Verdict> {
    db::audit::verify(conn, tenant, &signer.keys()).await
}

/// Notes the ends of all chains that have moved within two hours outside of the database, in the
/// function's log: who rewrites a chain, with its key or back to an earlier end, differs from it.
pub async fn anchor(pool: &db::Pool) -> sqlx::Result<Vec<Anchor>> {
    let mut tx = db::begin_sweep(pool).await?;
    let anchors = db::audit::list_moved_heads(&mut tx).await?;
    tx.commit().await?;
    for Anchor { tenant, seq, hash } in &anchors {
        let hash: String = hash.iter().map(|it| format!("{it:02x}")).collect();
        tracing::info!(
            tenant.id = %tenant, audit.seq = seq, audit.hash = hash,
            "the audit log ends with entry {seq}"
        );
    }
    Ok(anchors)
}
