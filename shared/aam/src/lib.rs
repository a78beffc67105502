//! The aam crate.
