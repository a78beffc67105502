//! One file per resource.

pub(crate) mod custom_fields;
pub(crate) mod entities;
pub(crate) mod mappings;
pub(crate) mod proposals;
pub(crate) mod provenance;
pub(crate) mod tenant_schema;
pub(crate) mod views;
