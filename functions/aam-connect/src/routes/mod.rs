//! One file per resource.

pub(crate) mod catalog;
pub(crate) mod connections;
pub(crate) mod connectors;
pub(crate) mod filesource;
pub(crate) mod health;
mod pace;
pub(crate) mod pull;
pub(crate) mod quarantine;
mod queued;
pub(crate) mod replay;
pub(crate) mod runs;
pub(crate) mod schemas;
pub(crate) mod tasks;
