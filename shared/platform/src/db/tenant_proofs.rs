//! Which tenant a transaction is for, and the proof that the platform says so.
//!
//! **Invariant:** whoever runs SQL of their own as a function can name any tenant and prove none: a
//! proof is a MAC of the tenant under a key that the database knows and no role of a function reads.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use schema::{Error, TenantId};

use super::{Connection, audit};
use crate::audit_chain::{AuditKey, Signer};
use crate::secrets::{Document, Secrets};

/// Makes proofs with the platform's key of now.
pub(super) struct TenantProofs {
    secrets: Secrets,
    known: Mutex<Option<Arc<KnownKey>>>,
}

/// A key that the database knows, and the document that it is of.
struct KnownKey {
    document: Arc<Document>,
    key: AuditKey,
    /// What proofs with it begin with: its id in hexadecimal.
    id: String,
}

impl TenantProofs {
    pub(super) fn new(secrets: Secrets) -> TenantProofs {
        TenantProofs {
            secrets,
            known: Mutex::new(None),
        }
    }

    /// Makes the key of now known to the database, unless it is. Outside of a transaction: it must
    /// stay known.
    pub(super) async fn prepare(&self, conn: &mut Connection) -> sqlx::Result<()> {
        let document = self.secrets.get().await;
        let document = document.map_err(|err| sqlx::Error::Configuration(err.into()))?;
        if self
            .known()
            .is_some_and(|it| Arc::ptr_eq(&it.document, &document))
        {
            return Ok(());
        }
        let mut keys = Signer::with(document.clone()).keys();
        audit::make_known(conn, &keys).await?;
        let key = keys.swap_remove(0);
        let known = Arc::new(KnownKey {
            id: hex(&key.id()),
            key,
            document,
        });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(())
    }

    /// What names the tenant and proves it, in a transaction of a connection that was prepared.
    pub(super) fn naming(&self, tenant: TenantId) -> sqlx::Result<String> {
        let known = self.known().ok_or_else(|| {
            let detail = "a tenant is named before the platform's key is known";
            sqlx::Error::Configuration(Box::new(Error::Internal(detail.into())))
        })?;
        let (id, mac) = (&known.id, hex(&known.key.prove(tenant)));
        let unproven = unproven(tenant);
        Ok(format!(
            "{unproven}; set local app.tenant_proof = '{id}{mac}'"
        ))
    }

    fn known(&self) -> Option<Arc<KnownKey>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

/// What names the tenant without a proof, which the owner of the tables needs none of. It is a UUID:
/// its text has no character that SQL could mistake.
pub(super) fn unproven(tenant: TenantId) -> String {
    format!("set local app.tenant_id = '{}'", tenant.0)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}
