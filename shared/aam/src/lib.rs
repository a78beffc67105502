//! The aam crate.

pub mod drift;
pub mod fingerprint;
pub mod observe;

#[cfg(test)]
mod notation;
