//! What a benchmark says.

use std::time::{Duration, Instant};

use serde::Serialize;

/// One line of output.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: f64,
    pub(crate) unit: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) reference_value: f64,
    pub(crate) ratio: f64,
    /// How many turns each side had.
    pub(crate) n: usize,
    /// What was measured on.
    pub(crate) data: &'a str,
}

impl Report<'_> {
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How long it takes.
pub(crate) fn time<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = run();
    (start.elapsed(), result)
}
