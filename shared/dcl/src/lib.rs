//! The data connectivity layer: mappings, and views over the canonical records.

pub mod db;
pub mod mapping;
pub mod provenance;
pub mod query;
pub mod shipped;
