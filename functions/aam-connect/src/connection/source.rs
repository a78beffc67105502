//! A connection's source: what its config says, its secrets, the way there.

use std::sync::Arc;
use std::time::Duration;

use platform::data_key::DataKey;
use platform::secrets::Secrets as Keys;
use platform::{Platform, Result};
use schema::{ConnectionId, Error, FieldError, TenantId};
use serde_json::Value;
use sources::redact::{self, Secrets};
use sources::{
    Capability, ConnectContext, Connector, HeldSecrets, Session, SourceError, StreamConfig,
};

use super::config::ValidConfig;
use super::secrets::stored_secrets;
use super::session::SessionKey;
use crate::db::connections::source as rows;

/// A request must be answered; a source that needs longer is not healthy.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// A source that can be asked.
pub(crate) struct Source {
    pub(crate) connector: &'static dyn Connector,
    /// What the config selects.
    pub(crate) streams: Vec<StreamConfig>,
    pub(crate) key: SessionKey,
    redacted_config: Value,
    sealed: Option<Vec<u8>>,
    tenant: TenantId,
    id: ConnectionId,
}

impl Source {
    /// The connection's source; none where there is no such connection, or nothing to ask.
    pub(crate) async fn find(
        conn: &mut platform::db::Connection,
        tenant: TenantId,
        id: ConnectionId,
    ) -> Result<Option<Source>> {
        let Some(row) = rows::find(conn, tenant, id).await? else {
            return Ok(None);
        };
        let Some(connector) = sources::find(&row.source_type).filter(|it| can_sync(*it)) else {
            return Ok(None);
        };
        Ok(Some(Source {
            connector,
            streams: connector.streams(&row.connector_config)?,
            key: (id, row.updated_at),
            redacted_config: row.connector_config,
            sealed: row.sealed_secrets,
            tenant,
            id,
        }))
    }

    /// The stream of that name.
    pub(crate) fn stream(&self, name: &str) -> Option<&StreamConfig> {
        self.streams.iter().find(|it| it.name == name)
    }

    /// Its config with its secrets in their places.
    pub(crate) async fn config_with_secrets(
        &self,
        platform: &Platform,
        conn: &mut platform::db::Connection,
    ) -> Result<Value> {
        let mut config = self.redacted_config.clone();
        let place = (self.tenant, self.id);
        let sealed = self.sealed.as_deref();
        let secrets = unseal(conn, &platform.secrets, place, sealed).await?;
        redact::restore(&mut config, &secrets);
        Ok(config)
    }

    /// Its config as it is stored and shown.
    pub(crate) fn redacted_config(&self) -> &Value {
        &self.redacted_config
    }

    /// Signs in with a config that has its secrets.
    pub(crate) async fn connect(
        &self,
        platform: &Platform,
        config: Value,
    ) -> std::result::Result<Box<dyn Session>, SourceError> {
        let context = ConnectContext {
            config,
            egress: platform.egress,
            secrets: stored_secrets(platform, self.tenant, self.id),
        };
        self.connector.connect(context).await
    }

    /// Looks whether everything that the config selects can be read.
    pub(crate) async fn check(
        &self,
        platform: &Platform,
        config: Value,
    ) -> std::result::Result<(), Vec<SourceError>> {
        check(async || self.connect(platform, config).await).await
    }
}

/// Whether there is something to ask.
pub(crate) fn can_sync(connector: &dyn Connector) -> bool {
    connector.capabilities().contains(&Capability::Sync)
}

/// Looks whether everything that a config selects can be read, and returns its secrets, which the
/// source may have exchanged meanwhile.
pub(super) async fn check_access(
    platform: &Platform,
    connector: &dyn Connector,
    (config, secrets): (Value, Secrets),
) -> std::result::Result<Secrets, Vec<SourceError>> {
    let held = Arc::new(HeldSecrets::new(secrets));
    let context = ConnectContext {
        config,
        egress: platform.egress,
        secrets: held.clone(),
    };
    check(async || connector.connect(context).await).await?;
    Ok(held.take())
}

async fn check(
    connect: impl AsyncFnOnce() -> std::result::Result<Box<dyn Session>, SourceError>,
) -> std::result::Result<(), Vec<SourceError>> {
    let checked = tokio::time::timeout(CHECK_TIMEOUT, async {
        let mut session = connect().await.map_err(|it| vec![it])?;
        let checked = session.check().await;
        session.close().await;
        checked
    });
    checked.await.map_err(|_| vec![SourceError::timeout()])?
}

/// The secrets as they are stored; nothing where there are none.
pub(crate) async fn seal(
    conn: &mut platform::db::Connection,
    platform: &Platform,
    (tenant, id): (TenantId, ConnectionId),
    secrets: &Secrets,
) -> Result<Option<Vec<u8>>> {
    if secrets.is_empty() {
        return Ok(None);
    }
    let key = DataKey::of(conn, &platform.secrets, tenant).await?;
    let plain = serde_json::to_vec(secrets).map_err(|err| Error::Internal(err.into()))?;
    Ok(Some(key.seal(&associated_data(id), &plain)))
}

/// The secrets that were stored so.
pub(super) async fn unseal(
    conn: &mut platform::db::Connection,
    keys: &Keys,
    (tenant, id): (TenantId, ConnectionId),
    sealed: Option<&[u8]>,
) -> Result<Secrets> {
    let Some(sealed) = sealed else {
        return Ok(Secrets::new());
    };
    let key = DataKey::of(conn, keys, tenant).await?;
    let opened = key.open(&associated_data(id), sealed)?;
    Ok(serde_json::from_slice(&opened).map_err(|err| Error::Internal(err.into()))?)
}

/// Stores the secrets of another config, and forgets the checkpoints of another source.
pub(crate) async fn replace(
    conn: &mut platform::db::Connection,
    platform: &Platform,
    (tenant, id): (TenantId, ConnectionId),
    config: &ValidConfig,
) -> Result<()> {
    if let Some(sealed) = seal(conn, platform, (tenant, id), &config.secrets).await? {
        rows::set_secrets(conn, tenant, id, &sealed).await?;
    }
    if config.source_changed {
        aam::db::sync_positions::delete(conn, tenant, id).await?;
    }
    Ok(())
}

/// Errors of a source as wrong fields of a request that has the config at `/connector_config`.
pub(super) fn config_errors(errors: Vec<SourceError>) -> Error {
    let field = |it: SourceError| FieldError {
        detail: it.to_string(),
        pointer: format!("/connector_config{}", it.pointer),
    };
    Error::Invalid(errors.into_iter().map(field).collect())
}

/// What sealed secrets are bound to, beside their tenant.
fn associated_data(id: ConnectionId) -> String {
    format!("connection:{id}")
}
