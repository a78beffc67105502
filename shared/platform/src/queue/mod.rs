//! Background work: jobs are rows, the queue only notifies a worker.
//!
//! **Invariant:** a job is on PostgreSQL's `job_queue` from the transaction that makes it until it
//! is over. A notification that is lost is sent again by the sweep; one that comes twice finds the job
//! leased, or over.

mod local;
mod sqs;

use std::time::Duration;

use futures_util::future::BoxFuture;

pub use crate::db::queue::JobRef;
pub use local::Local;
pub use sqs::Sqs;
pub(crate) use sqs::{Client, Visibility};

/// What tells a worker that a job waits: SQS in a deployed function, this process locally.
pub trait Queue: Send + Sync {
    /// Notifies a worker of the job once the pause is over. Call it after the commit.
    fn notify(&self, job_ref: JobRef, pause: Duration) -> BoxFuture<'_, anyhow::Result<()>>;

    /// Notifies workers of many jobs.
    fn notify_all<'a>(&'a self, job_refs: &'a [JobRef]) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// Announces a job that was just committed. A failure is logged and no more: the sweep finds it.
pub async fn announce(queue: &dyn Queue, job_ref: JobRef) {
    if let Err(error) = queue.notify(job_ref, Duration::ZERO).await {
        tracing::warn!(
            error = format!("{error:#}"),
            job = %job_ref.job,
            "no worker could be notified of the job, the next sweep will notify one"
        );
    }
}
