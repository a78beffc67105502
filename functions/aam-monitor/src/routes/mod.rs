//! One file per resource.

pub(crate) mod audit;
pub(crate) mod docs;
pub(crate) mod drift;
pub(crate) mod events;
pub(crate) mod metrics;
pub(crate) mod status;
pub(crate) mod storage;
