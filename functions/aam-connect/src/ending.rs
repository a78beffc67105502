//! How jobs end: done, failed, or canceled by somebody.
//!
//! **Invariant:** a job ends once, in a transaction that holds its row, and its run ends with it.

use std::time::Duration;

use platform::audit::{self, Entry, Signer};
use platform::db::jobs;
use platform::jobs::{Job, JobEnd};
use platform::queue::JobRef;
use platform::{Platform, db, metrics};
use schema::TenantId;
use serde_json::json;

use crate::jobs as kinds;

/// Ends a job that the transaction holds.
pub(crate) async fn finish(
    (conn, signer): (&mut db::Connection, Signer),
    tenant: TenantId,
    job: &Job,
    end: &JobEnd,
) -> anyhow::Result<()> {
    let now = platform::now();
    metrics::count("JobsEnded", 1);
    metrics::count("JobsFailed", usize::from(matches!(end, JobEnd::Failed(_))));
    if let Some(kind) = kinds::find(&job.kind) {
        kind.end((&mut *conn, &signer), tenant, (job, end), now)
            .await?;
    }
    jobs::end(conn, tenant, job.id, end, now).await?;
    let what = ("job.end", format!("job:{}", job.id));
    let entry = Entry::of(signer, "system".to_owned(), what, now).after(match end {
        JobEnd::Canceled => json!({ "canceled": true }),
        other => json!({ "result": other.result(), "error": other.error() }),
    });
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
    let signer = Signer::of(&platform.secrets).await?;
    let end = tokio::time::timeout(PATIENCE, cancel((tx, signer), job_ref)).await;
    end.unwrap_or(Ok(false))
}

async fn cancel(
    (mut tx, signer): (db::Transaction, Signer),
    job_ref: JobRef,
) -> anyhow::Result<bool> {
    let Some(job) = jobs::lock_unfinished(&mut tx, job_ref.tenant, job_ref.job).await? else {
        return Ok(true);
    };
    finish((&mut tx, signer), job_ref.tenant, &job, &JobEnd::Canceled).await?;
    tx.commit().await?;
    Ok(true)
}
