//! The sources that can be connected, and how each is read.
//!
//! A connector is a file here, a `mod` and an entry in [`CONNECTORS`].
//!
//! **Invariant:** no database: what is read is returned, and who asks stores it.

mod catalog;
mod connector;
pub mod delimited;
pub mod egress;
mod error;
pub mod filesource;
pub mod postgres;
pub mod redact;
mod session;

pub use catalog::{CONNECTORS, find};
pub use connector::{Capability, ConnectContext, Connector, Exchange, HeldSecrets, SecretStore};
pub use error::{SourceError, SourceErrorKind};
pub use session::{
    Batch, Checkpoint, Incomplete, KeyLookup, ReadScope, RecordBody, Session, SourceRecord,
    StreamConfig, StreamDescription,
};
