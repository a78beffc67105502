//! The answer to a request for a job.

use axum::http::StatusCode;
use schema::{Error, JobId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Json;
use crate::jobs::{JobStatus, NewJob, enqueue};
use crate::queue::{JobRef, announce};
use crate::{Caller, Platform, Result, db};

/// A job that was queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobAccepted {
    /// Read its status at `/api/v1/tasks/{id}`.
    job_id: JobId,
    kind: &'static str,
    status: JobStatus,
    #[serde(skip)]
    job_ref: Option<JobRef>,
}

impl JobAccepted {
    /// Queues the job, and notes that in the audit log as the action.
    ///
    /// # Errors
    /// [`Error::Conflict`] where there may be one such job at a time, and there is one.
    pub async fn queue(
        conn: &mut db::Connection,
        caller: &Caller,
        action: &'static str,
        job: NewJob,
    ) -> Result<JobAccepted> {
        let (kind, actor) = (job.kind, (caller.signer.clone(), caller.actor(), action));
        let now = crate::now();
        let queued = enqueue(conn, caller.tenant, actor, job, now).await?;
        let running = "the connection has such a job already: see GET /api/v1/tasks";
        let job_ref = queued.ok_or(Error::conflict(running))?;
        Ok(JobAccepted {
            job_id: job_ref.job,
            kind,
            status: JobStatus::Queued,
            job_ref: Some(job_ref),
        })
    }

    /// One that waits already, and serves this request too.
    pub fn merged(job_id: JobId, kind: &'static str) -> JobAccepted {
        JobAccepted {
            job_id,
            kind,
            status: JobStatus::Queued,
            job_ref: None,
        }
    }

    /// Which job.
    pub fn job_id(&self) -> JobId {
        self.job_id
    }

    /// Tells a worker, as the job is committed.
    pub async fn announced(self, platform: &Platform) -> (StatusCode, Json<JobAccepted>) {
        self.announce(platform).await;
        (StatusCode::ACCEPTED, Json(self))
    }

    /// The same, where the answer says more than that.
    pub async fn announce(&self, platform: &Platform) {
        if let Some(job) = self.job_ref {
            announce(&*platform.queue, job).await;
        }
    }
}
