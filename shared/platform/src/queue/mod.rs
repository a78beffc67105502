//! Background work: jobs are rows, the queue only wakes a worker.
//!
//! **Invariant:** a job is on PostgreSQL's `job_queue` from the transaction that makes it until it
//! is over. A wake that is lost is sent again by the sweep; one that comes twice finds the job
//! leased, or over.

mod local;
mod sqs;

use std::time::Duration;

use futures_util::future::BoxFuture;
use schema::{JobId, TenantId};
use serde::{Deserialize, Serialize};

pub use local::Local;
pub use sqs::Sqs;
pub(crate) use sqs::{Client, Visibility};

/// One job to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wake {
    /// Whose job.
    pub tenant: TenantId,
    /// Which job.
    pub job: JobId,
}

/// What tells a worker that a job waits: SQS in a deployed function, this process locally.
pub trait Queue: Send + Sync {
    /// Wakes a worker for the job once the pause is over. Call it after the commit.
    fn wake(&self, wake: Wake, pause: Duration) -> BoxFuture<'_, anyhow::Result<()>>;

    /// Wakes workers for many jobs.
    fn wake_all<'a>(&'a self, wakes: &'a [Wake]) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// Announces a job that was just committed. A failure is logged and no more: the sweep finds it.
pub async fn announce(queue: &dyn Queue, wake: Wake) {
    if let Err(error) = queue.wake(wake, Duration::ZERO).await {
        tracing::warn!(
            error = format!("{error:#}"),
            job = %wake.job,
            "the job could not be announced, the sweep will do it"
        );
    }
}
