//! What this function asks of the database, one module per table.

pub(crate) mod connection_overviews;
pub(crate) mod connections;
pub(crate) mod jobs;
pub(crate) mod positions;
pub(crate) mod quarantine;
pub(crate) mod runs;
pub(crate) mod schemas;
pub(crate) mod stored;
