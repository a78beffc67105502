//! What this function asks of the database, one module per table.

pub(crate) mod connection_overviews;
pub(crate) mod connections;
pub(crate) mod objects;
pub(crate) mod quarantine;
pub(crate) mod runs;
pub(crate) mod schemas;
