//! A connection's source: its config, its secrets, the session with it.

use schema::{ConnectionId, Error};

pub(crate) mod config;
pub(crate) mod cursor;
mod secrets;
pub(crate) mod session;
pub(crate) mod source;

pub use secrets::stored_secrets;

/// What another tenant's connection is, too.
pub(crate) const NOT_FOUND: Error = Error::NotFound { what: "connection" };

/// How the audit log names a connection.
pub(crate) fn audit_object(id: ConnectionId) -> String {
    format!("connection:{id}")
}
