//! The monitor's reading of other crates' tables.

pub(crate) mod drift;
pub(crate) mod events;
pub(crate) mod metrics;
pub(crate) mod status;
