//! How much memory this process has had, as Linux counts it.

use std::fs;

use anyhow::Context;

/// Begins to count anew.
pub(crate) fn reset_peak() -> anyhow::Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("write /proc/self/clear_refs")
}

/// The peak of resident memory since then, in MB.
pub(crate) fn peak() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let mut lines = status.lines();
    let line = lines.find_map(|it| it.strip_prefix("VmHWM:"));
    let kib = line.and_then(|it| it.trim().strip_suffix("kB"));
    let kib: f64 = kib.context("no VmHWM in it")?.trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}
