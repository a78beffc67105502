//! Until when an answer is awaited.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// When the function is ended, whatever it does. A request has one as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    /// At a time of the clock; now, if it is over.
    pub fn at(time: SystemTime) -> Deadline {
        Deadline::after(time.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// So much before it.
    #[must_use]
    pub fn earlier(self, margin: Duration) -> Deadline {
        // An instant before the machine's start cannot be told; it is over as well.
        Deadline(self.0.checked_sub(margin).unwrap_or_else(Instant::now))
    }

    /// The time that is left.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// What the future comes to, or nothing where it takes longer.
    pub async fn limit<F: Future>(self, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, future).await.ok()
    }
}
