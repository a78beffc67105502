//! The aam crate.

pub mod drift;
pub mod fingerprint;

#[cfg(test)]
mod notation;
