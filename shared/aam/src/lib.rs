//! The adaptive API mesh: reading sources, canonicalising records, noticing drift.

pub mod connectors;
pub mod db;
pub mod delimited;
pub mod drift;
pub mod fingerprint;
pub mod ingest;
pub mod observe;
pub mod plan;
mod truth;

#[cfg(test)]
mod notation;
