//! The test harness.

use std::path::{Path, PathBuf};

pub mod app;
mod front;
pub mod lambda;
pub mod postgres;
pub mod source;
pub mod valkey;
pub mod vault;

/// Where downloaded servers and their data are.
pub fn dev() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.dev")
}
