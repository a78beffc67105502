//! The worker: takes jobs off the queue and works on each in slices.
//!
//! **Invariant:** a slice and the progress that it makes are one transaction, in which the job is
//! held. A worker that is killed leaves the job where its last slice ended, and the next one takes
//! it up when the lease is over. Two that work on one job do so one after the other.

use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use platform::db::queue::{self, Held};
use platform::deadline::Deadline;
use platform::queue::Wake;
use platform::{Platform, db};
use schema::TenantId;
use serde_json::Value;
use uuid::Uuid;

use crate::db::jobs::{self, Job, JobEnd};
use crate::ending::{finish, finish_if_canceled};
use crate::pull::{Lines, discover, sync};
use crate::replay;

const LEASE: Lease = Lease {
    length: Duration::from_secs(60),
    heartbeat: Duration::from_secs(20),
    turn: Duration::from_secs(10),
};
/// After this long a local worker puts the job back, so that others get their turn.
const SHIFT: Duration = Duration::from_secs(60);
/// What is left of a worker's time for putting the job back and announcing it.
const RESERVE: Duration = Duration::from_secs(2);
/// How often a worker looks whether another tenant waits.
const LOOK: Duration = Duration::from_secs(1);
/// How often a job may be taken up without coming forward.
const MOST_ATTEMPTS: i32 = 3;
const PAUSES: [Duration; 3] = [
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

/// For how long jobs of a kind may run.
pub(crate) struct TimeLimit {
    /// From when a worker first took it up.
    pub(crate) hours: i64,
    /// What to do then.
    pub(crate) advice: &'static str,
}

/// What one slice of a job came to.
pub(crate) enum Step {
    /// There is more to do; this is how far it is.
    More(Value),
    /// It is done, with this result.
    Done(Value),
    /// It cannot be done, for this reason.
    Failed(String),
    /// It cannot be done for now, for this reason.
    Later(String),
}

/// What became of a job that was taken.
enum End {
    Over,
    /// Somebody wants it ended.
    Canceled,
    Again,
    Later(String),
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
    let held = queue::take(&platform.db, platform.jobs_per_tenant, lease.length).await?;
    let Some(held) = held else {
        return Ok(false);
    };
    run_within(platform, held, lease).await?;
    Ok(true)
}

/// Takes the job that comes next, for [`run`].
///
/// # Errors
/// Where the queue cannot be reached.
pub async fn take(platform: &Platform) -> anyhow::Result<Option<Held>> {
    Ok(queue::take(&platform.db, platform.jobs_per_tenant, LEASE.length).await?)
}

/// Works on a job that was taken, for a shift at most.
///
/// # Errors
/// Where the queue cannot be reached. A job that goes wrong is noted in its row.
pub async fn run(platform: &Platform, held: Held) -> anyhow::Result<()> {
    run_within(platform, held, LEASE).await
}

/// The same with another lease.
///
/// # Errors
/// As of [`run`].
pub async fn run_within(platform: &Platform, held: Held, lease: Lease) -> anyhow::Result<()> {
    attend(platform, held, Deadline::after(SHIFT), lease).await?;
    Ok(())
}

/// Works on the job that comes next, until the deadline at most. The wake says that there is one
/// more, and not which: whoever queued most must not be served first.
///
/// # Errors
/// Where the queue cannot be reached: the wake is to come again.
pub(crate) async fn wake(
    platform: &Platform,
    wake: Wake,
    deadline: Deadline,
) -> anyhow::Result<()> {
    if deadline.left() < RESERVE {
        return platform.queue.wake(wake, Duration::ZERO).await;
    }
    let most = platform.jobs_per_tenant;
    if let Some(held) = queue::take(&platform.db, most, LEASE.length).await? {
        let slot = attend(platform, held, deadline, LEASE).await?;
        // A job of the tenant whose wake came while none was free.
        if slot == Slot::Free
            && let Some(next) = queue::next(&platform.db, held.wake.tenant, most).await?
        {
            platform.queue.wake(next, Duration::ZERO).await?;
        }
        return Ok(());
    }
    match queue::hidden_for(&platform.db, wake).await? {
        // Its worker may have died: whoever is woken then finds out. Whole seconds, as SQS counts
        // them, and at least one.
        Some(rest) if !rest.is_zero() => {
            let rest = Duration::from_secs_f64(rest.as_secs_f64().ceil());
            platform.queue.wake(wake, rest).await
        }
        // It waits for a job of its tenant, whose worker sends another wake.
        _ => Ok(()),
    }
}

/// Works on a job that was taken, and takes it off the queue or puts it back.
async fn attend(
    platform: &Platform,
    held: Held,
    deadline: Deadline,
    lease: Lease,
) -> anyhow::Result<Slot> {
    let wake = held.wake;
    let end = tokio::select! {
        // On the heap: what a slice holds is large.
        end = Box::pin(work(platform, wake, deadline, lease)) => end,
        end = prolong(platform, held, lease) => Ok(end),
    };
    let over = match end {
        Ok(End::Lost) => return Ok(Slot::Wanted),
        Ok(End::Over) => true,
        // Whoever wants it ended does not wait until it is taken up again.
        _ => finish_if_canceled(platform, wake).await?,
    };
    if over {
        queue::delete(&platform.db, held).await?;
        return Ok(Slot::Free);
    }
    match end {
        Ok(End::Later(reason)) => {
            tracing::warn!(reason, job = %wake.job, tenant = %wake.tenant, "a job has to wait");
            retry(platform, held, &reason).await?;
            Ok(Slot::Free)
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(error, job = %wake.job, tenant = %wake.tenant, "a job went wrong");
            retry(platform, held, "the log has the cause").await?;
            Ok(Slot::Free)
        }
        Ok(_) => {
            put_back(platform, held, Duration::ZERO).await?;
            Ok(Slot::Wanted)
        }
    }
}

/// Keeps the job from other workers, until its lease is lost or somebody wants it ended.
async fn prolong(platform: &Platform, held: Held, lease: Lease) -> End {
    loop {
        tokio::time::sleep(lease.heartbeat).await;
        match renew(platform, held, lease).await {
            Ok(None) => {}
            Ok(Some(end)) => return end,
            Err(error) => {
                tracing::warn!(%error, job = %held.wake.job, "the job's lease could not be prolonged");
            }
        }
    }
}

async fn renew(platform: &Platform, held: Held, lease: Lease) -> anyhow::Result<Option<End>> {
    if !queue::prolong(&platform.db, held, lease.length).await? {
        return Ok(Some(End::Lost));
    }
    let mut tx = db::read(&platform.db, held.wake.tenant).await?;
    let canceled = jobs::is_canceled(&mut tx, held.wake.tenant, held.wake.job).await?;
    Ok(canceled.then_some(End::Canceled))
}

async fn put_back(platform: &Platform, held: Held, pause: Duration) -> anyhow::Result<()> {
    queue::put_back(&platform.db, held, pause).await?;
    platform.queue.wake(held.wake, pause).await
}

async fn work(
    platform: &Platform,
    wake: Wake,
    deadline: Deadline,
    lease: Lease,
) -> anyhow::Result<End> {
    let mut tx = db::begin(&platform.db, wake.tenant).await?;
    let attempts = jobs::start(&mut tx, wake.tenant, wake.job, Utc::now()).await?;
    tx.commit().await?;
    match attempts {
        None => return Ok(End::Over),
        // Its workers were killed, each before the end of a slice.
        Some(attempts) if MOST_ATTEMPTS < attempts => {
            give_up(platform, wake, "the log has the cause").await?;
            return Ok(End::Over);
        }
        Some(_) => {}
    }
    let end = deadline.earlier(RESERVE);
    let mut longest = Duration::ZERO;
    let mut lines = Lines::default();
    let mut look = Instant::now() + lease.turn;
    let worked = loop {
        let start = Instant::now();
        let slice = Box::pin(slice(platform, &mut lines, wake));
        // A slice that is cut off leaves nothing behind: it is one transaction.
        match end.limit(slice).await.transpose()? {
            Some(End::Again) => {}
            Some(other) => break other,
            None => return Ok(End::Again),
        }
        longest = longest.max(start.elapsed());
        if end.left() < longest * 2 {
            break End::Again;
        }
        if look <= Instant::now() {
            look = Instant::now() + LOOK;
            if queue::is_outranked(&platform.db, wake.tenant, platform.jobs_per_tenant).await? {
                break End::Again;
            }
        }
    };
    lines.hang_up().await;
    Ok(worked)
}

async fn slice(platform: &Platform, lines: &mut Lines, wake: Wake) -> anyhow::Result<End> {
    let now = Utc::now().trunc_subsecs(6);
    let Wake { tenant, job: id } = wake;
    let mut tx = db::begin(&platform.db, tenant).await?;
    let Some(job) = jobs::lock_unfinished(&mut tx, tenant, id).await? else {
        return Ok(End::Over);
    };
    if jobs::is_canceled(&mut tx, tenant, id).await? {
        return Ok(End::Canceled);
    }
    let step = match overtime(&job, now) {
        Some(error) => Step::Failed(error),
        None => Box::pin(next(platform, &mut tx, lines, (tenant, &job), now)).await?,
    };
    let end = match step {
        Step::More(progress) if job.progress.as_ref() == Some(&progress) => {
            JobEnd::Failed(STANDSTILL.to_owned())
        }
        Step::More(progress) => {
            jobs::advance(&mut tx, tenant, id, &progress, now).await?;
            tx.commit().await?;
            return Ok(End::Again);
        }
        Step::Done(result) => JobEnd::Success(result),
        Step::Failed(error) => JobEnd::Failed(error),
        // What the slice has done is undone with it.
        Step::Later(reason) => return Ok(End::Later(reason)),
    };
    finish(&mut tx, tenant, &job, &end).await?;
    tx.commit().await?;
    Ok(End::Over)
}

const STANDSTILL: &str = "it stood still: a step ended where the one before it did. Check that the \
                          key and the cursor of the table never change, and start it again";

/// Why a job that runs for too long is ended.
fn overtime(job: &Job, now: DateTime<Utc>) -> Option<String> {
    let limit = match job.kind.as_str() {
        replay::KIND => replay::LIMIT,
        sync::KIND => sync::LIMIT,
        discover::KIND => discover::LIMIT,
        _ => return None,
    };
    (job.started_at? + TimeDelta::hours(limit.hours) < now).then(|| {
        format!(
            "stopped after {} hours, as a {} may not take longer; what it has stored stays: {}",
            limit.hours, job.kind, limit.advice
        )
    })
}

/// Does the next slice of a job, by its kind.
async fn next(
    platform: &Platform,
    conn: &mut db::Connection,
    lines: &mut Lines,
    (tenant, job): (TenantId, &Job),
    now: DateTime<Utc>,
) -> anyhow::Result<Step> {
    match job.kind.as_str() {
        replay::KIND => {
            let (payload, progress) = (job.payload.clone(), job.progress.clone());
            replay::step(conn, tenant, payload, progress, now).await
        }
        sync::KIND => Box::pin(sync::step(platform, conn, lines, (tenant, job), now)).await,
        discover::KIND => {
            let step = discover::step(platform, conn, lines, (tenant, job), now);
            Box::pin(step).await
        }
        other => {
            let reason = format!("no worker knows jobs of the kind `{other}`");
            Ok(Step::Failed(reason))
        }
    }
}

/// Lets the job rest, or gives it up where it was tried too often.
async fn retry(platform: &Platform, held: Held, reason: &str) -> anyhow::Result<()> {
    let wake = held.wake;
    let mut tx = db::begin(&platform.db, wake.tenant).await?;
    let job = jobs::find(&mut tx, wake.tenant, wake.job).await?;
    jobs::note(&mut tx, wake.tenant, wake.job, reason).await?;
    tx.commit().await?;
    let attempts = job.map_or(MOST_ATTEMPTS, |it| it.attempts);
    if MOST_ATTEMPTS <= attempts {
        give_up(platform, wake, reason).await?;
        return Ok(queue::delete(&platform.db, held).await?);
    }
    let pause = PAUSES[usize::try_from(attempts - 1).unwrap_or(0)];
    // Up to a quarter more, so that jobs that failed together do not come back together.
    let jitter = pause.as_secs() * u64::from(Uuid::new_v4().as_bytes()[0]);
    let pause = pause + Duration::from_millis(jitter);
    put_back(platform, held, pause).await
}

async fn give_up(platform: &Platform, wake: Wake, reason: &str) -> anyhow::Result<()> {
    let error = format!("given up after {MOST_ATTEMPTS} attempts: {reason}");
    let mut tx = db::begin(&platform.db, wake.tenant).await?;
    if let Some(job) = jobs::lock_unfinished(&mut tx, wake.tenant, wake.job).await? {
        finish(&mut tx, wake.tenant, &job, &JobEnd::Failed(error)).await?;
    }
    tx.commit().await?;
    Ok(())
}
