//! The tables of sources and their records, one module each. SQL is here and nowhere else.

pub mod canonical;
pub mod connections;
pub mod custom_entities;
pub mod drift_events;
pub mod event_ids;
pub mod key_counts;
pub mod mapping_decisions;
pub mod mappings;
pub mod new_records;
pub mod payloads;
pub mod quarantine;
pub mod quarantine_groups;
pub mod raw_records;
pub mod runs;
pub mod snapshots;
pub mod source_objects;
pub mod stored_records;
pub mod sync_positions;

pub use sqlx::{Error, PgConnection as Connection, Result};
