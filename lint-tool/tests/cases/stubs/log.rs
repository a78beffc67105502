//! Something small from elsewhere.
pub fn info(_: &str) {}
