//! How entries of the audit log are signed, and chained.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use schema::{Error, TenantId};

use crate::secrets::{Document, Key, Secrets};

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

/// What an entry says. JSON is a text here: parsed and written again, a number may not be the same.
pub(crate) struct Content<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) object: &'a str,
    pub(crate) before: Option<&'a str>,
    pub(crate) after: Option<&'a str>,
    pub(crate) trace_id: &'a str,
}

impl Content<'_> {
    /// The parts that are signed, after those that come first.
    fn with<T>(&self, first: &[&[u8]], make: impl FnOnce(&[&[u8]]) -> T) -> T {
        let at = self.at.timestamp_micros().to_be_bytes();
        let own = [
            &at,
            self.actor.as_bytes(),
            self.action.as_bytes(),
            self.object.as_bytes(),
            self.before.unwrap_or_default().as_bytes(),
            self.after.unwrap_or_default().as_bytes(),
            self.trace_id.as_bytes(),
        ];
        make(&[first, &own].concat())
    }
}

/// What a platform signs entries with, and the database chains them with: of one platform key, from
/// which it is derived.
pub(crate) struct AuditKey(Key);

impl AuditKey {
    pub(crate) fn of(platform: &Key) -> AuditKey {
        AuditKey(Key::new(platform.mac("audit log", &[])))
    }

    /// How the database names it.
    pub(crate) fn id(&self) -> Vec<u8> {
        self.0.mac("audit key id", &[])[..8].to_vec()
    }

    /// The blocks that HMAC-SHA-256 begins its inner and its outer hash with (RFC 2104): what the
    /// database, which knows SHA-256 only, is told of the key.
    pub(crate) fn blocks(&self) -> [Vec<u8>; 2] {
        let mut key = self.0.bytes().to_vec();
        key.resize(64, 0);
        [0x36, 0x5c].map(|pad| key.iter().map(|it| it ^ pad).collect())
    }

    /// Says that a transaction is for the tenant.
    pub(crate) fn prove(&self, tenant: TenantId) -> [u8; 32] {
        self.0.mac("tenant", &[tenant.0.as_bytes()])
    }

    /// Signs an entry of the tenant.
    pub(crate) fn sign(&self, tenant: TenantId, content: &Content<'_>) -> [u8; 32] {
        content.with(&[tenant.0.as_bytes()], |it| self.0.mac("audit entry", it))
    }

    /// The hash of a row that comes after another one.
    pub(crate) fn link(&self, last: &Head, tenant: TenantId, content: &Content<'_>) -> [u8; 32] {
        let seq = (last.seq + 1).to_be_bytes();
        let first: [&[u8]; 3] = [&last.hash, tenant.0.as_bytes(), &seq];
        content.with(&first, |it| self.0.mac("audit chain", it))
    }

    /// Says of another key that it is of the same platform.
    pub(crate) fn endorse(&self, other: &AuditKey) -> [u8; 32] {
        let [inner, outer] = other.blocks();
        self.0.mac("audit key", &[&other.id(), &inner, &outer])
    }
}

/// Signs entries. Who holds it may say what was done, and by whom.
#[derive(Clone)]
pub struct Signer(Arc<Document>);

impl Signer {
    /// Signs with the platform key of now.
    ///
    /// # Errors
    /// Where the secrets are away.
    pub async fn of(secrets: &Secrets) -> Result<Signer, Error> {
        secrets.get().await.map(Signer)
    }

    /// Signs with the keys of a document.
    pub fn with(document: Arc<Document>) -> Signer {
        Signer(document)
    }

    /// The key that signs, first, and those that have signed before.
    pub(crate) fn keys(&self) -> Vec<AuditKey> {
        self.0.keys.platform.iter().map(AuditKey::of).collect()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

/// The hash of a row from before there were keys.
pub(crate) fn unkeyed(last: &Head, tenant: TenantId, content: &Content<'_>) -> Vec<u8> {
    let seq = (last.seq + 1).to_be_bytes();
    let mut context = Context::new(&SHA256);
    content.with(&[&last.hash, tenant.0.as_bytes(), &seq], |parts| {
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
    });
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
