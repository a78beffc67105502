//! A connection's secrets, exchanged for others by one worker at a time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use platform::{Platform, Problem, db};
use schema::{ConnectionId, TenantId};
use sources::redact::Secrets;
use sources::{Exchange, SecretStore, SourceError, SourceErrorKind};
use tokio::time::Instant;
use uuid::Uuid;

use super::source;
use crate::db::connections::source as rows;

/// An exchange may take so long; then somebody else may try.
const LEASE: Duration = Duration::from_secs(60);
/// How long one waits for another's exchange.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

/// The secrets of a stored connection.
struct StoredSecrets {
    platform: Platform,
    tenant: TenantId,
    connection: ConnectionId,
}

/// The secrets of a stored connection, which one worker at a time exchanges for others, under a
/// lease of a minute.
pub fn stored_secrets(
    platform: &Platform,
    tenant: TenantId,
    connection: ConnectionId,
) -> Arc<dyn SecretStore> {
    Arc::new(StoredSecrets {
        platform: platform.clone(),
        tenant,
        connection,
    })
}

impl StoredSecrets {
    /// Takes the lease, and reads the newest secrets under it.
    async fn acquire(&self, lease: Uuid) -> Result<Secrets, SourceError> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.try_acquire(lease).await.map_err(failed)? {
                Some(secrets) => return Ok(secrets),
                None if end < Instant::now() => return Err(busy()),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn try_acquire(&self, lease: Uuid) -> anyhow::Result<Option<Secrets>> {
        let mut tx = db::begin(&self.platform.db, self.tenant).await?;
        let leased =
            rows::lease_secrets(&mut tx, self.tenant, self.connection, (lease, LEASE)).await?;
        let secrets = match leased {
            None => None,
            Some(sealed) => {
                let keys = &self.platform.secrets;
                let place = (self.tenant, self.connection);
                let secrets = source::unseal(&mut tx, keys, place, sealed.as_deref()).await;
                Some(secrets.map_err(Problem::into_anyhow)?)
            }
        };
        tx.commit().await?;
        Ok(secrets)
    }

    /// Stores the secrets where there are new ones, and gives the lease back.
    async fn release(&self, lease: Uuid, secrets: Option<&Secrets>) -> anyhow::Result<bool> {
        let mut tx = db::begin(&self.platform.db, self.tenant).await?;
        let sealed = match secrets {
            Some(secrets) => {
                let place = (self.tenant, self.connection);
                let sealed = source::seal(&mut tx, &self.platform, place, secrets).await;
                sealed.map_err(Problem::into_anyhow)?
            }
            None => None,
        };
        let place = (self.connection, lease);
        let stored = rows::release_secrets(&mut tx, self.tenant, place, sealed.as_deref()).await?;
        tx.commit().await?;
        Ok(stored)
    }
}

impl SecretStore for StoredSecrets {
    fn exchange<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> BoxFuture<'a, Result<Secrets, SourceError>> {
        Box::pin(async move {
            let lease = Uuid::new_v4();
            let before = self.acquire(lease).await?;
            let exchanged = exchange(before).await;
            let stored = self.release(lease, exchanged.as_ref().ok()).await;
            let secrets = exchanged?;
            match stored {
                Ok(true) => Ok(secrets),
                Ok(false) => Err(busy()),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

fn busy() -> SourceError {
    let message = "the connection's secrets are being exchanged by another worker";
    SourceError::new(SourceErrorKind::Quota, "", message)
}

fn failed(error: anyhow::Error) -> SourceError {
    tracing::error!(
        error = format!("{error:#}"),
        "a connection's secrets could not be exchanged"
    );
    let message = "the connection's secrets could not be stored: the log has the cause";
    SourceError::new(SourceErrorKind::Network, "", message)
}
