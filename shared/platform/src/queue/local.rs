//! The queue of a process that works off `job_queue` itself.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use super::{Queue, Wake};

/// Wakes the loop of this process. What waits and how long is in the rows.
#[derive(Default)]
pub struct Local(Notify);

impl Local {
    /// Waits until a job is announced, or was since the last call.
    pub async fn woken(&self) {
        self.0.notified().await;
    }
}

impl Queue for Local {
    fn wake(&self, _: Wake, pause: Duration) -> BoxFuture<'_, anyhow::Result<()>> {
        // The loop looks again by itself: it finds the job when its pause is over.
        if pause.is_zero() {
            self.0.notify_one();
        }
        async { Ok(()) }.boxed()
    }

    fn wake_all<'a>(&'a self, wakes: &'a [Wake]) -> BoxFuture<'a, anyhow::Result<()>> {
        if !wakes.is_empty() {
            self.0.notify_one();
        }
        async { Ok(()) }.boxed()
    }
}
