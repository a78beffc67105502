//! The dcl crate.
