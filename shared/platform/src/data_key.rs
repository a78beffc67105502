//! Each tenant's data key: what is kept for the tenant and has a secret in it is sealed under it.
//!
//! **Invariant:** the key is stored wrapped by the platform key only. Whoever has the database
//! alone opens nothing; whoever deletes a tenant's key has shredded all that it sealed.

use schema::{Error, TenantId};

use crate::db::{Connection, tenant_keys};
use crate::secrets::{Key, KeyRing, Secrets};
use crate::{Result, seal};

/// A tenant's data key. Never printed.
pub struct DataKey {
    tenant: TenantId,
    key: Key,
}

impl DataKey {
    /// The tenant's key, made at its first use.
    ///
    /// One that is wrapped by a platform key of before is wrapped anew.
    ///
    /// # Errors
    /// Where the secrets are away, or none of the platform keys opens it.
    pub async fn of(conn: &mut Connection, secrets: &Secrets, tenant: TenantId) -> Result<DataKey> {
        let document = secrets.get().await?;
        let ring = &document.keys.platform;
        let wrapped = match tenant_keys::find(conn, tenant).await? {
            Some(wrapped) => wrapped,
            // Of two that make one, the first to write wins for both.
            None => {
                let new = seal::random_key();
                tenant_keys::insert_once(conn, tenant, &wrap(ring, tenant, &new)).await?
            }
        };
        let (key, current) = unwrap(ring, tenant, &wrapped)?;
        if !current {
            tenant_keys::update(conn, tenant, &wrap(ring, tenant, &key)).await?;
        }
        Ok(DataKey { tenant, key })
    }

    /// Nonce, ciphertext and tag of the plain bytes, bound to the tenant and to `about`.
    pub fn seal(&self, about: &str, plain: &[u8]) -> Vec<u8> {
        seal::seal(&self.key, &self.bound(about), plain)
    }

    /// The plain bytes again.
    ///
    /// # Errors
    /// [`Error::Internal`] where they were sealed for another tenant, about something else, or
    /// changed since.
    pub fn open(&self, about: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        seal::open(&self.key, &self.bound(about), sealed)
    }

    fn bound(&self, about: &str) -> Vec<u8> {
        [self.tenant.0.as_bytes(), about.as_bytes()].concat()
    }
}

fn wrap(ring: &KeyRing, tenant: TenantId, key: &Key) -> Vec<u8> {
    seal::seal(ring.current(), &about(tenant), key.bytes())
}

/// The key, and whether it is wrapped by the current platform key.
fn unwrap(ring: &KeyRing, tenant: TenantId, wrapped: &[u8]) -> Result<(Key, bool), Error> {
    let about = about(tenant);
    let mut opened = ring
        .iter()
        .enumerate()
        .filter_map(|(at, it)| Some((seal::open(it, &about, wrapped).ok()?, at == 0)));
    let broken = || Error::Internal("no platform key opens the tenant's data key".into());
    let (bytes, current) = opened.next().ok_or_else(broken)?;
    let bytes = bytes.try_into().map_err(|_| broken())?;
    Ok((Key::new(bytes), current))
}

fn about(tenant: TenantId) -> Vec<u8> {
    [b"data key of ", tenant.0.as_bytes().as_slice()].concat()
}
