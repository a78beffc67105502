//! The platform crate.
