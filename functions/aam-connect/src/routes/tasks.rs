//! Background work: what the tenant's jobs are doing.

use axum::extract::State;
use platform::extract::{Json, Path, Query};
use platform::page::Page;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::{Error, JobId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connections::scope;
use crate::db::jobs::{self, Job, JobStatus};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list)).routes(routes!(read))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those that stand there.
    status: Option<JobStatus>,
    /// 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of jobs, the newest first.
#[derive(Serialize, ToSchema)]
struct Tasks {
    tasks: Vec<Job>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// The tenant's jobs, the newest first.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "connect", params(Filter),
    operation_id = "tasks.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Tasks)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(filter): Query<Filter>,
) -> Result<Json<Tasks>> {
    let order = format!("{:?}", filter.status);
    let scope = scope(caller.tenant, "tasks", &order);
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = jobs::count(&mut tx, caller.tenant, filter.status).await?;
    let mut tasks = jobs::list(&mut tx, caller.tenant, filter.status, &page).await?;
    let next_cursor = page.next(&scope, &mut tasks, |it| (it.created_at, it.id.0));
    Ok(Json(Tasks {
        tasks,
        total,
        next_cursor,
    }))
}

/// One job: where it stands, how far it is, what came out.
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
