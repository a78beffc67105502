//! One file per resource.

pub(crate) mod provenance;
pub(crate) mod views;
