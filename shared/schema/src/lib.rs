//! The schema crate.
