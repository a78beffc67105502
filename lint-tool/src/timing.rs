//! How long each phase and rule took, for `--timing`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Phases in the order in which they ended.
#[derive(Debug, Default)]
pub struct Timing {
    phases: Mutex<Vec<(String, Duration)>>,
}

impl Timing {
    /// Does the work and notes how long it took.
    pub fn phase<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        phases.push((name.to_owned(), start.elapsed()));
        result
    }

    /// One line for each phase.
    pub fn text(&self) -> String {
        let phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(name, time): &(String, Duration)| {
            format!("{:>9.3} ms  {name}\n", time.as_secs_f64() * 1e3)
        };
        phases.iter().map(line).collect()
    }
}
