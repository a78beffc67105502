//! The test harness.

use std::path::{Path, PathBuf};

pub mod app;
pub mod double;
pub mod fixtures;
pub mod lambda;
pub mod postgres;
pub mod small_disk;
pub mod source;
mod tls_proxy;
pub mod valkey;
pub mod vault;

/// Where downloaded servers and their data are.
pub fn dev() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.dev")
}

/// The most memory that a process ever had, in bytes. Linux counts it.
pub fn peak_memory(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let pages = line.and_then(|it| it.trim().strip_suffix(" kB"));
    pages
        .and_then(|it| it.parse().ok())
        .map_or(0, |it: usize| it << 10)
}
