//! The worker as a function: woken by the queue, swept by the schedule.

use chrono::Timelike;
use platform::db::{self, ended_tenants, expired, queue, storage_usage};
use platform::deadline::Deadline;
use platform::lambda::{Consumer, Message, unknown_schedule};
use platform::queue::JobRef;
use platform::{Platform, Result, audit, extract, metrics, trace};
use schema::Error;

use crate::db::connections::schedule::Schedule;
use crate::scheduler;
use crate::worker;

/// So many forgotten jobs are announced in one sweep.
const MAX_WAKES: i64 = 1000;
/// So many expired rows are deleted in one transaction.
const MAX_ROWS: i64 = 10_000;

/// What the platform does by itself every minute.
pub const SCHEDULES: [&str; 3] = ["sweep", "sync", "schema-check"];

pub(crate) struct Worker(pub(crate) Platform);

impl Consumer for Worker {
    async fn take(&self, message: &Message, deadline: Deadline) -> Result<()> {
        let job_ref: JobRef = extract::parse(message.body.as_bytes())?;
        trace::set_tenant(job_ref.tenant);
        let ran = worker::run_notified(&self.0, job_ref, deadline).await;
        Ok(ran.map_err(|err| Error::Internal(err.into()))?)
    }

    async fn tick(&self, schedule: &str, deadline: Deadline) -> Result<()> {
        tick(&self.0, schedule, deadline).await
    }
}

/// What is to be done now and then, by its name: the words of [`SCHEDULES`].
///
/// # Errors
/// Where the name is none of them, or the database is away.
pub async fn tick(platform: &Platform, schedule: &str, deadline: Deadline) -> Result<()> {
    match schedule {
        "sweep" => {
            notify_stalled(platform).await?;
            count_unanswered(platform).await?;
            // One minute an hour; an hour that is missed is made up for by the next.
            if platform::now().minute() == 0 {
                audit::anchor(&platform.db).await?;
            }
            ended_tenants::purge(&platform.db, deadline.earlier(deadline.left() / 2)).await?;
            purge_expired(platform, deadline).await
        }
        "sync" => start_due(platform, Schedule::Sync, deadline).await,
        "schema-check" => start_due(platform, Schedule::SchemaCheck, deadline).await,
        other => Err(unknown_schedule(other).into()),
    }
}

async fn start_due(platform: &Platform, what: Schedule, deadline: Deadline) -> Result<()> {
    let jobs = scheduler::start_due(platform, what, deadline).await?;
    if 0 < jobs {
        tracing::info!(jobs, ?what, "scheduled jobs were due");
    }
    Ok(())
}

async fn notify_stalled(platform: &Platform) -> Result<()> {
    let forgotten = queue::claim_stalled(&platform.db, platform.jobs_per_tenant, MAX_WAKES).await?;
    if !forgotten.is_empty() {
        tracing::warn!(
            jobs = forgotten.len(),
            "jobs are stalled: workers are notified of them again"
        );
    }
    let announced = platform.queue.notify_all(&forgotten).await;
    Ok(announced.map_err(|err| Error::Internal(err.into()))?)
}

async fn count_unanswered(platform: &Platform) -> Result<()> {
    let mut tx = db::begin_sweep(&platform.db).await?;
    let unanswered = aam::db::drift_events::count_unanswered(&mut tx).await?;
    tx.commit().await?;
    metrics::count("DriftUnanswered", usize::try_from(unanswered).unwrap_or(0));
    Ok(())
}

/// Until nothing is left, or half of the time is over: the next sweep goes on.
async fn purge_expired(platform: &Platform, deadline: Deadline) -> Result<()> {
    let end = deadline.earlier(deadline.left() / 2);
    let most = MAX_ROWS.unsigned_abs();
    loop {
        let mut tx = db::begin_sweep(&platform.db).await?;
        let rows = expired::delete(&mut tx, MAX_ROWS).await?;
        let ids = aam::db::event_ids::delete_expired(&mut tx, MAX_ROWS).await?;
        storage_usage::join_parts(&mut tx, MAX_ROWS).await?;
        tx.commit().await?;
        if rows.max(ids) < most || end.left().is_zero() {
            return Ok(());
        }
    }
}
