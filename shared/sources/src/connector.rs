//! The kinds of sources that can be connected. A new one is a file here, a `mod` and an entry.

use schema::{Entity, Error, Result, pointer};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{filesource, postgres};

/// Every connector there is.
pub const CONNECTORS: &[&dyn Connector] = &[
    &filesource::FileSource,
    &postgres::SUPABASE,
    &postgres::POSTGRES,
];

/// One kind of source.
pub trait Connector: Sync {
    /// The word in `source_type`: lower case.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// The JSON Schema of a connection's `connector_config`.
    fn config_schema(&self) -> Value;

    /// Checks a `connector_config` strictly.
    ///
    /// # Errors
    /// [`Error::Invalid`] with pointers from the config's root.
    fn check(&self, config: &Value) -> Result<()>;

    /// Where a `connector_config` has secrets: JSON pointers.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// The entities that its records can become.
    fn entities(&self) -> &'static [&'static Entity];

    /// What a client can ask of a connection.
    fn capabilities(&self) -> &'static [Capability];
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

/// The connector of that name, in any case.
pub fn find(name: &str) -> Option<&'static dyn Connector> {
    let same = |it: &&&dyn Connector| it.name().eq_ignore_ascii_case(name);
    CONNECTORS.iter().find(same).copied()
}

/// Reads a config as the connector's own type.
pub(crate) fn read<T: DeserializeOwned>(config: &Value) -> Result<T> {
    serde_path_to_error::deserialize(config)
        .map_err(|err| Error::invalid(pointer::of_path(err.path()), err.inner().to_string()))
}
