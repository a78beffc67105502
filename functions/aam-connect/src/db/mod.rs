//! What this function asks of the database, one module per table.

pub(crate) mod connections;
pub(crate) mod connectors;
pub(crate) mod due;
pub(crate) mod jobs;
pub(crate) mod positions;
pub(crate) mod quarantine;
pub(crate) mod runs;
pub(crate) mod schemas;
pub(crate) mod sources;
pub(crate) mod stored;
