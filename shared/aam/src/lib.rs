//! The adaptive API mesh: canonicalising records, inferring schemas, noticing drift.

pub mod custom_entities;
pub mod db;
pub mod drift;
pub mod dry_run;
pub mod fingerprint;
pub mod inference;
pub mod ingest;
pub mod mapping_check;
pub mod mappings;
pub mod proposals;
pub mod quarantine;
pub mod replay;
pub mod sync;
#[cfg(test)]
mod testing;
