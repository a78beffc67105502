//! The data connectivity layer: views over the canonical records.

pub mod db;

pub mod provenance;
pub mod query;
