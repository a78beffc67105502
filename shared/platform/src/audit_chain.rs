//! The hash chain of a tenant's audit log.

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use schema::TenantId;

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
