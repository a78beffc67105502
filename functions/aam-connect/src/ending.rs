//! How jobs end: done, failed, or canceled by somebody.
//!
//! **Invariant:** a job ends once, in a transaction that holds its row, and its run ends with it.

use std::time::Duration;

use aam::db::runs;
use chrono::{DateTime, Utc};
use platform::audit::{self, Entry};
use platform::queue::JobRef;
use platform::{Platform, db, metrics};
use schema::{RunId, TenantId};
use serde_json::json;

use crate::db::jobs::{self, Job, JobEnd};
use crate::pull::{self, discover, sync};
use crate::replay;

/// Ends a job that the transaction holds.
pub(crate) async fn finish(
    conn: &mut db::Connection,
    tenant: TenantId,
    job: &Job,
    end: &JobEnd,
) -> anyhow::Result<()> {
    let now = platform::now();
    metrics::count("JobsEnded", 1);
    metrics::count("JobsFailed", usize::from(matches!(end, JobEnd::Failed(_))));
    match job.kind.as_str() {
        sync::KIND | discover::KIND => pull::ended(conn, tenant, job, end, now).await?,
        replay::KIND => end_run(conn, tenant, job, end, now).await?,
        _ => {}
    }
    jobs::end(conn, tenant, job.id, end, now).await?;
    let entry = Entry {
        at: now,
        actor: "system".to_owned(),
        action: "job.end",
        object: format!("job:{}", job.id),
        before: None,
        after: Some(match end {
            JobEnd::Canceled => json!({ "canceled": true }),
            other => json!({ "result": other.result(), "error": other.error() }),
        }),
    };
    audit::append(conn, tenant, &entry).await?;
    Ok(())
}

/// For so long a step that was cut off may hold its job.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ends the job if somebody has asked for that. Says whether it is over; if another step of it
/// has not let go yet, it is not.
pub(crate) async fn finish_if_canceled(
    platform: &Platform,
    job_ref: JobRef,
) -> anyhow::Result<bool> {
    let mut tx = db::begin(&platform.db, job_ref.tenant).await?;
    if !jobs::is_canceled(&mut tx, job_ref.tenant, job_ref.job).await? {
        return Ok(false);
    }
    let end = tokio::time::timeout(PATIENCE, cancel(tx, job_ref)).await;
    end.unwrap_or(Ok(false))
}

async fn cancel(mut tx: db::Transaction, job_ref: JobRef) -> anyhow::Result<bool> {
    let Some(job) = jobs::lock_unfinished(&mut tx, job_ref.tenant, job_ref.job).await? else {
        return Ok(true);
    };
    finish(&mut tx, job_ref.tenant, &job, &JobEnd::Canceled).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends the run that a job was in the middle of, unless the job is done.
pub(crate) async fn end_run(
    conn: &mut db::Connection,
    tenant: TenantId,
    job: &Job,
    end: &JobEnd,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let run = job.progress.as_ref();
    let Some(run) = run.and_then(|it| it.pointer("/current/run")) else {
        return Ok(());
    };
    let run = RunId(serde_json::from_value(run.clone())?);
    match end {
        JobEnd::Success(_) => {}
        JobEnd::Failed(error) => runs::fail(conn, tenant, run, error, now).await?,
        JobEnd::Canceled => runs::cancel(conn, tenant, run, now).await?,
    }
    Ok(())
}
