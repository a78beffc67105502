//! A job that a request asks for.

use std::time::Duration;

use axum::http::StatusCode;
use platform::audit::{self, Entry};
use platform::db::queue::Order;
use platform::extract::Json;
use platform::queue::{JobRef, announce};
use platform::{Caller, Platform, Result, db};
use schema::{ConnectionId, Error, JobId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::connections::object;
use crate::db::jobs::{self, JobStatus};

/// A job that was queued.
#[derive(Serialize, ToSchema)]
pub(super) struct JobAccepted {
    /// Read its status at `/api/v1/tasks/{id}`.
    job_id: JobId,
    kind: &'static str,
    status: JobStatus,
}

/// What is asked for.
pub(super) struct NewJob {
    pub(super) kind: &'static str,
    /// Its name in the audit log.
    pub(super) action: &'static str,
    pub(super) connection: ConnectionId,
    /// Of the jobs that have the same, one runs at a time.
    pub(super) exclusive: Option<String>,
}

impl JobAccepted {
    /// Makes the job.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the connection may have one such job at a time, and has it.
    pub(super) async fn insert<T: Serialize>(
        conn: &mut db::Connection,
        caller: &Caller,
        asked: &NewJob,
        payload: &T,
    ) -> Result<JobAccepted> {
        let now = platform::now();
        let id = JobId(Uuid::now_v7());
        let payload = serde_json::to_value(payload).map_err(|err| Error::Internal(err.into()))?;
        let job = (asked.kind, &payload);
        if !jobs::insert_once(conn, caller.tenant, id, job, now).await? {
            let running = "the connection has such a job already: see GET /api/v1/tasks";
            return Err(Error::Conflict(running).into());
        }
        let order = Order {
            exclusive: asked.exclusive.clone(),
            patience: Duration::ZERO,
        };
        db::queue::insert(conn, caller.tenant, id, order).await?;
        let entry = Entry::new(caller, asked.action, object(asked.connection));
        audit::append(conn, caller.tenant, &entry.after(payload)).await?;
        Ok(JobAccepted {
            job_id: id,
            kind: asked.kind,
            status: JobStatus::Queued,
        })
    }

    /// One that waits already, and serves this request too.
    pub(super) fn merged(job_id: JobId, kind: &'static str) -> JobAccepted {
        JobAccepted {
            job_id,
            kind,
            status: JobStatus::Queued,
        }
    }

    /// Wakes a worker, as the job is committed.
    pub(super) async fn announced(
        self,
        platform: &Platform,
        tenant: TenantId,
    ) -> (StatusCode, Json<JobAccepted>) {
        let job = self.job_id;
        announce(&*platform.queue, JobRef { tenant, job }).await;
        (StatusCode::ACCEPTED, Json(self))
    }
}
