//! Background work: what the tenant's jobs are doing.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use platform::audit::{self, Entry};
use platform::db::{jobs, queue};
use platform::extract::{Json, Path};
use platform::jobs::{Job, JobStatus};
use platform::page::List;
use platform::queue::JobRef;
use platform::{Ingester, Platform, Reader, Result, Routes, db, list_body, routes};
use schema::{Error, JobId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::ending;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(read, cancel))
}

#[derive(Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those with this status.
    status: Option<JobStatus>,
}

list_body! {
    /// One page of jobs, the newest first.
    Tasks { tasks: [Job] }
}

/// The tenant's jobs, the newest first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "connect", params(List<Job, Filter>),
    operation_id = "tasks.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Tasks)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    list: List<Job, Filter>,
) -> Result<Json<Tasks>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = jobs::count(&mut tx, caller.tenant, list.filter.status).await?;
    let tasks = jobs::list(&mut tx, caller.tenant, list.filter.status, &list.page).await?;
    Ok(list.answer(tasks, total))
}

/// One job: its status, progress and result.
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "connect", params(("id" = JobId, Path)),
    operation_id = "tasks.read",
    security(("bearer" = ["read"])), responses((status = 200, body = Job)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<JobId>,
) -> Result<Json<Job>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let job = jobs::find(&mut tx, caller.tenant, id).await?;
    Ok(Json(job.ok_or(Error::NotFound { what: "task" })?))
}

/// Cancels a job: a queued one at once (200), a running one at its next step (202). Records that
/// it has stored remain; its run gets the status `canceled`.
#[utoipa::path(delete, path = "/api/v1/tasks/{id}", tag = "connect", params(("id" = JobId, Path)),
    operation_id = "tasks.cancel", security(("bearer" = ["ingest"])),
    responses((status = 200, body = Job), (status = 202, body = Job)))]
async fn cancel(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Path(id): Path<JobId>,
) -> Result<(StatusCode, Json<Job>)> {
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    get_unfinished(&mut tx, caller.tenant, id).await?;
    let entry = Entry::new(&caller, "job.cancel", format!("job:{id}"));
    let now = platform::now();
    if jobs::cancel_once(&mut tx, caller.tenant, id, entry.actor(), now).await? {
        audit::append(&mut tx, caller.tenant, &entry).await?;
    }
    tx.commit().await?;
    let job_ref = JobRef {
        tenant: caller.tenant,
        job: id,
    };
    // A worker that has it finds out by itself.
    if let Some(held) = queue::take_to_end(&platform.db, job_ref, TO_END).await? {
        let ended = ending::finish_if_canceled(&platform, job_ref).await;
        if ended.map_err(|err| Error::Internal(err.into()))? {
            queue::delete(&platform.db, held).await?;
        } else {
            queue::requeue(&platform.db, held, Duration::ZERO).await?;
        }
    }
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let job = jobs::find(&mut tx, caller.tenant, id).await?;
    let job = job.ok_or(Error::NotFound { what: "task" })?;
    match job.status {
        JobStatus::Canceled => Ok((StatusCode::OK, Json(job))),
        JobStatus::Queued | JobStatus::InProgress => Ok((StatusCode::ACCEPTED, Json(job))),
        JobStatus::Success | JobStatus::Failed => Err(OVER.into()),
    }
}

/// What ending a job may take, before a worker does it instead.
const TO_END: Duration = Duration::from_secs(10);
const OVER: Error = Error::conflict("the task has finished, there is nothing to cancel");

async fn get_unfinished(conn: &mut db::Connection, tenant: TenantId, id: JobId) -> Result<()> {
    let job = jobs::find(conn, tenant, id).await?;
    match job.ok_or(Error::NotFound { what: "task" })?.status {
        JobStatus::Queued | JobStatus::InProgress => Ok(()),
        _ => Err(OVER.into()),
    }
}
