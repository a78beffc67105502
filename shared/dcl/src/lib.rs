//! The data connectivity layer: mappings, and what is asked of the canonical records.

pub mod shipped;
