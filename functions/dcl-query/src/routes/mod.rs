//! One file per resource.

pub(crate) mod mappings;
pub(crate) mod proposals;
pub(crate) mod provenance;
pub(crate) mod views;
