//! What a kind of source is: a connector.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use schema::{EgressPolicy, Entity, Result, input};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::redact::Secrets;
use crate::{Session, SourceError, SourceErrorKind, StreamConfig};

/// One kind of source: what it needs, and the way to it.
pub trait Connector: Sync {
    /// The word in `source_type`: lower case.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// The JSON Schema of a connection's `connector_config`. Secrets are `writeOnly`.
    fn config_schema(&self) -> Value;

    /// Checks a `connector_config` strictly.
    ///
    /// # Errors
    /// [`Error::Invalid`](schema::Error::Invalid) with pointers from the config's root.
    fn validate(&self, config: &Value) -> Result<()>;

    /// Where a `connector_config` has secrets: JSON pointers.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// What of a `connector_config` only selects what is read: JSON pointers. A change of anything
    /// else that is no secret leads to another source, of which no checkpoint is true.
    fn selection(&self) -> &'static [&'static str] {
        &[]
    }

    /// The entities that its records can become.
    fn entities(&self) -> &'static [&'static Entity];

    /// What a client can ask of a connection.
    fn capabilities(&self) -> &'static [Capability];

    /// The streams that a config selects; none where the source cannot be asked.
    ///
    /// # Errors
    /// As of [`validate`](Connector::validate).
    fn streams(&self, _config: &Value) -> Result<Vec<StreamConfig>> {
        Ok(vec![])
    }

    /// The names of a stream that mean the same: `accounts` for `public.accounts`.
    fn is_named(&self, stream: &str, name: &str) -> bool {
        stream == name
    }

    /// Signs in at the source.
    ///
    /// # Errors
    /// Where it cannot be reached or lets nobody in.
    fn connect(
        &self,
        _context: ConnectContext,
    ) -> BoxFuture<'_, std::result::Result<Box<dyn Session>, SourceError>> {
        Box::pin(async { Err(unaskable()) })
    }
}

/// What a connector needs to sign in.
pub struct ConnectContext {
    /// The `connector_config`, its secrets in their places.
    pub config: Value,
    /// Which hosts may be contacted.
    pub egress: EgressPolicy,
    /// Where secrets go that the source changed, such as a refresh token.
    pub secrets: Arc<dyn SecretStore>,
}

/// The secrets of one connection.
pub trait SecretStore: Send + Sync {
    /// Exchanges the secrets for others. `exchange` gets the newest ones, alone among everybody
    /// who uses the connection, and what it returns is stored before anybody else sees it.
    ///
    /// # Errors
    /// Those of `exchange`, and where the store cannot be reached in time.
    fn exchange<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> BoxFuture<'a, std::result::Result<Secrets, SourceError>>;
}

/// Asks a source for other secrets in the place of these.
pub type Exchange<'a> = Box<
    dyn FnOnce(Secrets) -> BoxFuture<'a, std::result::Result<Secrets, SourceError>> + Send + 'a,
>;

/// The secrets of a connection that is not stored yet.
#[derive(Default)]
pub struct HeldSecrets(Mutex<Secrets>);

impl HeldSecrets {
    /// These.
    pub fn new(secrets: Secrets) -> HeldSecrets {
        HeldSecrets(Mutex::new(secrets))
    }

    /// What they are now.
    pub fn take(&self) -> Secrets {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut held)
    }
}

impl SecretStore for HeldSecrets {
    fn exchange<'a>(
        &'a self,
        exchange: Exchange<'a>,
    ) -> BoxFuture<'a, std::result::Result<Secrets, SourceError>> {
        Box::pin(async move {
            let before = self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            let after = exchange(before).await?;
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            held.clone_from(&after);
            Ok(after)
        })
    }
}

fn unaskable() -> SourceError {
    let message = "this connector has no source to ask: it takes uploads";
    SourceError::new(SourceErrorKind::Schema, "", message)
}

/// An operation that a connection supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Take files.
    Upload,
    /// Map stored records again.
    Replay,
    /// Ask the source for its records.
    Sync,
    /// Ask the source for its structure.
    Discover,
}

/// Reads a config as the connector's own type.
pub(crate) fn read<T: DeserializeOwned>(config: &Value) -> Result<T> {
    input::read_value(config)
}
