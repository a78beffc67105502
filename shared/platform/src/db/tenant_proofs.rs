//! Which tenant a transaction is for, and the proof that the platform says so.
//!
//! **Invariant:** whoever runs SQL of their own as a function can name any tenant and prove none: a
//! proof is a MAC of the tenant under a key that the database knows and no role of a function reads.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use schema::{Error, TenantId};

use super::{Connection, audit};
use crate::audit_chain::AuditKey;
use crate::secrets::{Document, Secrets};

/// Makes proofs with the platform's key of now.
pub(super) struct TenantProofs {
    secrets: Secrets,
    key: Mutex<Option<KnownKey>>,
}

/// A key that the database knows, and the document that it is of.
#[derive(Clone)]
struct KnownKey {
    document: Arc<Document>,
    key: Arc<AuditKey>,
}

impl TenantProofs {
    pub(super) fn new(secrets: Secrets) -> TenantProofs {
        TenantProofs {
            secrets,
            key: Mutex::new(None),
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
        let keys: Vec<_> = document.keys.platform.iter().map(AuditKey::of).collect();
        let key = audit::make_known(conn, keys).await?;
        let key = Arc::new(key);
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(KnownKey { document, key });
        Ok(())
    }

    /// What names the tenant and proves it, in a transaction of a connection that was prepared.
    pub(super) fn naming(&self, tenant: TenantId) -> sqlx::Result<String> {
        let known = self.known().ok_or_else(|| {
            let detail = "a tenant is named before the platform's key is known";
            sqlx::Error::Configuration(Box::new(Error::Internal(detail.into())))
        })?;
        let mut text = format!("{}; set local app.tenant_proof = '", naming(tenant));
        let mac = known.key.prove(tenant);
        for byte in known.key.id().iter().chain(&mac) {
            write!(text, "{byte:02x}").expect("a String takes everything");
        }
        text.push('\'');
        Ok(text)
    }

    fn known(&self) -> Option<KnownKey> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        key.clone()
    }
}

/// The tenant without a proof, which the owner of the tables needs none of. It is a UUID: its text
/// has no character that SQL could mistake.
pub(super) fn naming(tenant: TenantId) -> String {
    format!("set local app.tenant_id = '{}'", tenant.0)
}
