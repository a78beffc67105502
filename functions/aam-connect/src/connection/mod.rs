//! A connection's source: its config, its secrets, the session with it.

pub(crate) mod config;
mod secrets;
pub(crate) mod session;
pub(crate) mod source;
