//! The adaptive API mesh: reading sources, noticing drift, making records canonical.

pub mod drift;
pub mod fingerprint;
pub mod observe;
pub mod plan;

#[cfg(test)]
mod notation;
