pub(crate) mod provenance;
pub(crate) mod views;
