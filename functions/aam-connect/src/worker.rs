//! The worker: takes jobs off the queue and works on each in slices.
//!
//! **Invariant:** a slice and the progress that it makes are one transaction, in which the job is
//! held. A worker that is killed leaves the job where its last slice ended, and the next one takes
//! it up when the lease is over. Two that work on one job do so one after the other.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use platform::audit::Signer;
use platform::db::jobs;
use platform::db::queue::{self, LeasedJob};
use platform::deadline::Deadline;
use platform::jobs::{Fence, Job, JobEnd, begin_leased};
use platform::queue::JobRef;
use platform::{Platform, db};
use serde_json::Value;
use uuid::Uuid;

use crate::connection::session::SessionCache;
use crate::ending::{finish, finish_if_canceled};
use crate::jobs::{self as kinds, Failure, JobKind, Slice, SliceOutcome, Work};

const LEASE: Lease = Lease {
    length: Duration::from_secs(60),
    heartbeat: Duration::from_secs(20),
    turn: Duration::from_secs(10),
};
/// After this long a local worker puts the job back, so that others get their turn.
const MAX_TURN: Duration = Duration::from_secs(60);
/// What is left of a worker's time for putting the job back and announcing it.
const RESERVE: Duration = Duration::from_secs(2);
/// How often a worker looks whether another tenant waits.
const LOOK: Duration = Duration::from_secs(1);
/// How often a job may be taken up without coming forward.
const MAX_ATTEMPTS: i32 = 3;
const BACKOFF: [Duration; 3] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// How long a job is hidden from other workers, and how often its worker prolongs that.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// For so long.
    pub length: Duration,
    /// So often.
    pub heartbeat: Duration,
    /// After this long a worker puts the job back as soon as a tenant waits that has fewer
    /// running.
    pub turn: Duration,
}

/// What became of a job that was taken.
enum Disposition {
    Done,
    /// Somebody wants it ended.
    Canceled,
    Requeue,
    Retry(String),
    /// Another worker has it.
    Lost,
}

/// What a job's end means for the others of its tenant.
#[derive(PartialEq)]
enum Slot {
    Free,
    /// It waits for its next turn, or another worker has it.
    Wanted,
}

/// Takes the job that comes next and works on it. Says whether there was one.
///
/// # Errors
/// Where the queue cannot be reached. A job that goes wrong is noted in its row.
pub async fn step(platform: &Platform) -> anyhow::Result<bool> {
    step_within(platform, LEASE).await
}

/// The same with another lease.
///
/// # Errors
/// As of [`step`].
pub async fn step_within(platform: &Platform, lease: Lease) -> anyhow::Result<bool> {
    let leased = queue::take(&platform.db, platform.jobs_per_tenant, lease.length).await?;
    let Some(leased) = leased else {
        return Ok(false);
    };
    run_within(platform, leased, lease).await?;
    Ok(true)
}

/// Takes the job that comes next, for [`run`].
///
/// # Errors
/// Where the queue cannot be reached.
pub async fn take(platform: &Platform) -> anyhow::Result<Option<LeasedJob>> {
    Ok(queue::take(&platform.db, platform.jobs_per_tenant, LEASE.length).await?)
}

/// Works on a job that was taken, for a shift at most.
///
/// # Errors
/// Where the queue cannot be reached. A job that goes wrong is noted in its row.
pub async fn run(platform: &Platform, leased: LeasedJob) -> anyhow::Result<()> {
    run_within(platform, leased, LEASE).await
}

/// The same with another lease.
///
/// # Errors
/// As of [`run`].
pub async fn run_within(
    platform: &Platform,
    leased: LeasedJob,
    lease: Lease,
) -> anyhow::Result<()> {
    // On the heap: what it holds is large, and its callers may be deep.
    Box::pin(run_leased(
        platform,
        leased,
        Deadline::after(MAX_TURN),
        lease,
    ))
    .await?;
    Ok(())
}

/// Works on the job that comes next, until the deadline at most. The notification says that there is one
/// more, and not which: whoever queued most must not be served first.
///
/// # Errors
/// Where the queue cannot be reached: the notification is to come again.
pub(crate) async fn run_notified(
    platform: &Platform,
    job_ref: JobRef,
    deadline: Deadline,
) -> anyhow::Result<()> {
    if deadline.left() < RESERVE {
        return platform.queue.notify(job_ref, Duration::ZERO).await;
    }
    let most = platform.jobs_per_tenant;
    if let Some(leased) = queue::take(&platform.db, most, LEASE.length).await? {
        let slot = run_leased(platform, leased, deadline, LEASE).await?;
        // A job of the tenant whose notification came while none was free.
        if slot == Slot::Free
            && let Some(next) = queue::next(&platform.db, leased.job_ref.tenant, most).await?
        {
            platform.queue.notify(next, Duration::ZERO).await?;
        }
        return Ok(());
    }
    match queue::visible_in(&platform.db, job_ref).await? {
        // Its worker may have died: whoever is woken then finds out. Whole seconds, as SQS counts
        // them, and at least one.
        Some(rest) if !rest.is_zero() => {
            let rest = Duration::from_secs_f64(rest.as_secs_f64().ceil());
            platform.queue.notify(job_ref, rest).await
        }
        // It waits for a job of its tenant, whose worker sends another notification.
        _ => Ok(()),
    }
}

/// Works on a job that was taken, and takes it off the queue or puts it back.
async fn run_leased(
    platform: &Platform,
    leased: LeasedJob,
    deadline: Deadline,
    lease: Lease,
) -> anyhow::Result<Slot> {
    let job_ref = leased.job_ref;
    let end = tokio::select! {
        // On the heap: what a slice holds is large.
        end = Box::pin(run_until(platform, leased, deadline, lease)) => end,
        end = renew_lease(platform, leased, lease) => Ok(end),
    };
    let over = match end {
        Ok(Disposition::Lost) => return Ok(Slot::Wanted),
        Ok(Disposition::Done) => true,
        // Whoever wants it ended does not wait until it is taken up again.
        _ => finish_if_canceled(platform, job_ref).await?,
    };
    if over {
        queue::delete(&platform.db, leased).await?;
        return Ok(Slot::Free);
    }
    match end {
        Ok(Disposition::Retry(reason)) => {
            tracing::warn!(reason, job = %job_ref.job, tenant = %job_ref.tenant, "a job has to wait");
            retry(platform, leased, &reason).await?;
            Ok(Slot::Free)
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(error, job = %job_ref.job, tenant = %job_ref.tenant, "a job went wrong");
            retry(platform, leased, "the log has the cause").await?;
            Ok(Slot::Free)
        }
        Ok(_) => {
            requeue(platform, leased, Duration::ZERO).await?;
            Ok(Slot::Wanted)
        }
    }
}

/// Keeps the job from other workers, until its lease is lost or somebody wants it ended.
async fn renew_lease(platform: &Platform, leased: LeasedJob, lease: Lease) -> Disposition {
    loop {
        tokio::time::sleep(lease.heartbeat).await;
        match renew(platform, leased, lease).await {
            Ok(None) => {}
            Ok(Some(end)) => return end,
            Err(error) => {
                tracing::warn!(%error, job = %leased.job_ref.job, "the job's lease could not be prolonged");
            }
        }
    }
}

async fn renew(
    platform: &Platform,
    leased: LeasedJob,
    lease: Lease,
) -> anyhow::Result<Option<Disposition>> {
    if !queue::renew_lease(&platform.db, leased, lease.length).await? {
        return Ok(Some(Disposition::Lost));
    }
    let mut tx = db::read(&platform.db, leased.job_ref.tenant).await?;
    let canceled = jobs::is_canceled(&mut tx, leased.job_ref.tenant, leased.job_ref.job).await?;
    Ok(canceled.then_some(Disposition::Canceled))
}

async fn requeue(platform: &Platform, leased: LeasedJob, pause: Duration) -> anyhow::Result<()> {
    queue::requeue(&platform.db, leased, pause).await?;
    platform.queue.notify(leased.job_ref, pause).await
}

async fn run_until(
    platform: &Platform,
    leased: LeasedJob,
    deadline: Deadline,
    lease: Lease,
) -> anyhow::Result<Disposition> {
    let JobRef { tenant, job: id } = leased.job_ref;
    let mut tx = db::begin(&platform.db, tenant).await?;
    let attempts = jobs::start(&mut tx, tenant, id, platform::now()).await?;
    let job = jobs::find(&mut tx, tenant, id).await?;
    tx.commit().await?;
    let (Some(attempts), Some(mut job)) = (attempts, job) else {
        return Ok(Disposition::Done);
    };
    // Its workers were killed, each before the end of a slice.
    if MAX_ATTEMPTS < attempts {
        give_up(platform, leased.job_ref, "the log has the cause").await?;
        return Ok(Disposition::Done);
    }
    let end = deadline.earlier(RESERVE);
    let mut longest = Duration::ZERO;
    let mut sessions = SessionCache::default();
    let mut look = Instant::now() + lease.turn;
    let ran = loop {
        let start = Instant::now();
        let slice = Box::pin(run_slice(platform, &mut sessions, (leased, &job)));
        // A slice that is cut off leaves nothing behind: what it writes is one transaction.
        match end.limit(slice).await.transpose()? {
            Some(Ran::Advanced(progress)) => job.progress = Some(progress),
            Some(Ran::Ended(disposition)) => break disposition,
            None => return Ok(Disposition::Requeue),
        }
        longest = longest.max(start.elapsed());
        if end.left() < longest * 2 {
            break Disposition::Requeue;
        }
        if look <= Instant::now() {
            look = Instant::now() + LOOK;
            if queue::is_outranked(&platform.db, tenant, platform.jobs_per_tenant).await? {
                break Disposition::Requeue;
            }
        }
    };
    sessions.close().await;
    Ok(ran)
}

/// What one slice came to.
enum Ran {
    Advanced(Value),
    Ended(Disposition),
}

async fn run_slice(
    platform: &Platform,
    sessions: &mut SessionCache,
    (leased, job): (LeasedJob, &Job),
) -> anyhow::Result<Ran> {
    let work = Work {
        platform,
        leased,
        job,
        now: platform::now(),
    };
    let Some(kind) = kinds::find(&job.kind) else {
        let reason = format!("no worker knows jobs of the kind `{}`", job.kind);
        return end_leased(work, JobEnd::Failed(reason))
            .await
            .map(Ran::Ended);
    };
    if let Some(error) = overtime(kind, job, work.now) {
        return end_leased(work, JobEnd::Failed(error))
            .await
            .map(Ran::Ended);
    }
    let mut slice = Slice { work, sessions };
    let outcome = match kind.run_slice(&mut slice).await {
        Ok(outcome) | Err(Failure::Ended(outcome)) => outcome,
        Err(Failure::Platform(error)) => return Err(error),
        Err(Failure::Source(error)) => {
            slice.sessions.close().await;
            error.into()
        }
    };
    let end = match outcome {
        SliceOutcome::Advanced(progress) => return Ok(Ran::Advanced(progress)),
        SliceOutcome::Done(result) => JobEnd::Success(result),
        SliceOutcome::Failed(error) => JobEnd::Failed(error),
        SliceOutcome::Retry(reason) => return Ok(Ran::Ended(Disposition::Retry(reason))),
        SliceOutcome::Canceled => return Ok(Ran::Ended(Disposition::Canceled)),
        SliceOutcome::Lost => return Ok(Ran::Ended(Disposition::Lost)),
        SliceOutcome::Over => return Ok(Ran::Ended(Disposition::Done)),
    };
    end_leased(work, end).await.map(Ran::Ended)
}

/// Ends a job that the worker still holds.
async fn end_leased(work: Work<'_>, end: JobEnd) -> anyhow::Result<Disposition> {
    let mut tx = match begin_leased(&work.platform.db, work.leased).await? {
        Fence::Held(tx) => tx,
        Fence::Canceled => return Ok(Disposition::Canceled),
        Fence::Lost => return Ok(Disposition::Lost),
        Fence::Over => return Ok(Disposition::Done),
    };
    let signer = Signer::of(&work.platform.secrets).await?;
    finish((&mut tx, signer), work.tenant(), work.job, &end).await?;
    Ok(if tx.commit().await? {
        Disposition::Done
    } else {
        Disposition::Lost
    })
}

/// Why a job that runs for too long is ended.
fn overtime(kind: &dyn JobKind, job: &Job, now: DateTime<Utc>) -> Option<String> {
    let limit = kind.time_limit();
    (job.started_at? + TimeDelta::hours(limit.hours) < now).then(|| {
        format!(
            "stopped after {} hours, as a {} may not take longer; what it has stored stays: {}",
            limit.hours, job.kind, limit.advice
        )
    })
}

/// Lets the job rest, or gives it up where it was tried too often.
async fn retry(platform: &Platform, leased: LeasedJob, reason: &str) -> anyhow::Result<()> {
    let job_ref = leased.job_ref;
    let mut tx = db::begin(&platform.db, job_ref.tenant).await?;
    let job = jobs::find(&mut tx, job_ref.tenant, job_ref.job).await?;
    jobs::note(&mut tx, job_ref.tenant, job_ref.job, reason).await?;
    tx.commit().await?;
    let attempts = job.map_or(MAX_ATTEMPTS, |it| it.attempts);
    if MAX_ATTEMPTS <= attempts {
        give_up(platform, job_ref, reason).await?;
        return Ok(queue::delete(&platform.db, leased).await?);
    }
    let pause = BACKOFF[usize::try_from(attempts - 1).unwrap_or(0)];
    // Up to a quarter more, so that jobs that failed together do not come back together.
    let jitter = pause.as_secs() * u64::from(Uuid::new_v4().as_bytes()[0]);
    let pause = pause + Duration::from_millis(jitter);
    requeue(platform, leased, pause).await
}

async fn give_up(platform: &Platform, job_ref: JobRef, reason: &str) -> anyhow::Result<()> {
    let error = format!("given up after {MAX_ATTEMPTS} attempts: {reason}");
    let mut tx = db::begin(&platform.db, job_ref.tenant).await?;
    if let Some(job) = jobs::lock_unfinished(&mut tx, job_ref.tenant, job_ref.job).await? {
        let signer = Signer::of(&platform.secrets).await?;
        finish(
            (&mut tx, signer),
            job_ref.tenant,
            &job,
            &JobEnd::Failed(error),
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
