//! The queue of a process that works off `job_queue` itself.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use super::{JobRef, Queue};

/// Notifies the loop of this process. What waits and how long is in the rows.
#[derive(Default)]
pub struct Local(Notify);

impl Local {
    /// Waits until a job is announced, or was since the last call.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}

impl Queue for Local {
    fn notify(&self, _: JobRef, pause: Duration) -> BoxFuture<'_, anyhow::Result<()>> {
        // The loop looks again by itself: it finds the job when its pause is over.
        if pause.is_zero() {
            self.0.notify_one();
        }
        async { Ok(()) }.boxed()
    }

    fn notify_all<'a>(&'a self, job_refs: &'a [JobRef]) -> BoxFuture<'a, anyhow::Result<()>> {
        if !job_refs.is_empty() {
            self.0.notify_one();
        }
        async { Ok(()) }.boxed()
    }
}
