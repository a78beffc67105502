//! A connection's source: what its config says, its secrets, the way there.

use std::time::Duration;

use aam::db::Connection;
use platform::data_key::DataKey;
use platform::{Platform, Result};
use schema::{ConnectionId, Error, FieldError, TenantId};
use serde_json::Value;
use sources::postgres::{Config, Line};
use sources::redact::{self, Secrets};
use sources::{Capability, Connector, SourceError};

use super::accept::Accepted;
use super::session::Key;
use super::{Halt, Lines, internal};
use crate::db::connections::source;
use crate::db::{jobs, positions};

/// A request must be answered; a source that needs longer is not healthy.
const CONTACT: Duration = Duration::from_secs(20);

/// A source to pull from.
pub(crate) struct Source {
    /// Its records are of this system.
    pub(crate) system: &'static str,
    /// With a mark in the place of each secret.
    pub(crate) config: Config,
    marked: Value,
    sealed: Option<Vec<u8>>,
    id: ConnectionId,
    key: Key,
}

impl Source {
    /// The connection's source; none where there is no such connection, or nothing to pull.
    pub(crate) async fn find(
        conn: &mut Connection,
        tenant: TenantId,
        id: ConnectionId,
    ) -> Result<Option<Source>> {
        let Some(row) = source::find(conn, tenant, id).await? else {
            return Ok(None);
        };
        let Some(connector) = sources::find(&row.source_type).filter(|it| can_sync(*it)) else {
            return Ok(None);
        };
        Ok(Some(Source {
            system: connector.name(),
            config: Config::read(&row.connector_config)?,
            marked: row.connector_config,
            sealed: row.sealed_secrets,
            id,
            key: (id, row.updated_at),
        }))
    }

    /// The line to it, opened where it is not.
    pub(super) async fn line<'a>(
        &self,
        platform: &Platform,
        conn: &mut Connection,
        tenant: TenantId,
        lines: &'a mut Lines,
    ) -> Result<&'a mut Line, Halt> {
        if lines.open(self.key).is_none() {
            let config = self.whole(platform, conn, tenant).await;
            let config = config.map_err(internal)?;
            let config = Config::read(&config)?;
            let dialled = lines.dial(self.key, &config, platform.egress).await;
            dialled.map_err(Halt::Source)?;
        }
        Ok(lines.open(self.key).expect("it was just dialled"))
    }

    /// Whether the open line is the one to it: then it lets in who asks.
    pub(super) fn is_open(&self, lines: &mut Lines) -> bool {
        lines.open(self.key).is_some()
    }

    /// Its config with its secrets in their places.
    pub(crate) async fn whole(
        &self,
        platform: &Platform,
        conn: &mut Connection,
        tenant: TenantId,
    ) -> Result<Value> {
        let mut config = self.marked.clone();
        if let Some(sealed) = &self.sealed {
            let key = DataKey::of(conn, &platform.secrets, tenant).await?;
            let opened = key.open(&about(self.id), sealed)?;
            let opened: Secrets =
                serde_json::from_slice(&opened).map_err(|err| Error::Internal(err.into()))?;
            redact::put(&mut config, &opened);
        }
        Ok(config)
    }

    /// Its config as it is stored and shown.
    pub(crate) fn marked(&self) -> &Value {
        &self.marked
    }
}

/// Whether there is something to ask.
pub(crate) fn can_sync(connector: &dyn Connector) -> bool {
    connector.capabilities().contains(&Capability::Sync)
}

/// The secrets as they are stored; nothing where there are none.
pub(crate) async fn seal(
    conn: &mut Connection,
    platform: &Platform,
    (tenant, id): (TenantId, ConnectionId),
    secrets: &Secrets,
) -> Result<Option<Vec<u8>>> {
    if secrets.is_empty() {
        return Ok(None);
    }
    let key = DataKey::of(conn, &platform.secrets, tenant).await?;
    let plain = serde_json::to_vec(secrets).map_err(|err| Error::Internal(err.into()))?;
    Ok(Some(key.seal(&about(id), &plain)))
}

/// Stores the secrets of another config, and forgets how far another source was read.
///
/// # Errors
/// [`Error::Conflict`] where the source of before is still read.
pub(crate) async fn replace(
    conn: &mut Connection,
    platform: &Platform,
    (tenant, id): (TenantId, ConnectionId),
    accepted: &Accepted,
) -> Result<()> {
    if accepted.moved && jobs::exists_pull(conn, tenant, id).await? {
        let detail = "the source of before is still read: wait for its job, see GET /api/v1/tasks";
        return Err(Error::Conflict(detail).into());
    }
    if let Some(sealed) = seal(conn, platform, (tenant, id), &accepted.secrets).await? {
        source::set_secrets(conn, tenant, id, &sealed).await?;
    }
    if accepted.moved {
        positions::delete(conn, tenant, id).await?;
    }
    Ok(())
}

/// Asks the source of a whole config whether everything that it names can be read.
pub(crate) async fn check_access(
    platform: &Platform,
    config: &Config,
) -> Result<(), Vec<SourceError>> {
    let called = tokio::time::timeout(CONTACT, async {
        let opened = Line::open(config, platform.egress).await;
        let mut line = opened.map_err(|it| vec![it])?;
        let mut troubles = Vec::new();
        for (index, object) in config.objects.iter().enumerate() {
            let table = line.table(index, object).await;
            let checked = match table.and_then(|it| it.order(index, object)) {
                Ok(order) => match line.check_key(index, object, &order).await {
                    Ok(()) => line.check_cursor(index, object, &order).await,
                    Err(trouble) => Err(trouble),
                },
                Err(trouble) => Err(trouble),
            };
            troubles.extend(checked.err());
        }
        line.close().await;
        if troubles.is_empty() {
            Ok(())
        } else {
            Err(troubles)
        }
    });
    let late = |_| vec![SourceError::timeout()];
    called.await.map_err(late)?
}

/// Troubles as wrong fields of a request that has the config at `/connector_config`.
pub(crate) fn config_errors(troubles: Vec<SourceError>) -> Error {
    let field = |it: SourceError| FieldError {
        detail: it.to_string(),
        pointer: format!("/connector_config{}", it.pointer),
    };
    Error::Invalid(troubles.into_iter().map(field).collect())
}

/// What sealed secrets are bound to, beside their tenant.
fn about(id: ConnectionId) -> String {
    format!("connection:{id}")
}
