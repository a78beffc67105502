//! The worker: takes jobs off the queue and works on each in slices.
//!
//! **Invariant:** a slice and the progress that it makes are one transaction, in which the job is
//! held. A worker that is killed leaves the job where its last slice ended, and the next one takes
//! it up when the lease is over. Two that work on one job do so one after the other.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};
use platform::audit::{self, Entry};
use platform::db::queue::{self, Claim};
use platform::deadline::Deadline;
use platform::queue::Wake;
use platform::{Platform, db, metrics};
use schema::TenantId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::jobs::{self, Job};
use crate::pull::{self, Lines, discover, sync};
use crate::replay;

const LEASE: Lease = Lease {
    length: Duration::from_secs(60),
    heartbeat: Duration::from_secs(20),
};
/// After this long a local worker puts the job back, so that others get their turn.
const SHIFT: Duration = Duration::from_secs(60);
/// What is left of a worker's time for putting the job back and announcing it.
const RESERVE: Duration = Duration::from_secs(2);
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
    pub length: Duration,
    pub heartbeat: Duration,
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
    Again,
    Later(String),
}

/// Takes the job that waits longest and works on it. Says whether there was one.
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
    let Some(wake) = queue::take(&platform.db, lease.length).await? else {
        return Ok(false);
    };
    attend(platform, wake, Deadline::after(SHIFT), lease).await?;
    Ok(true)
}

/// Works on the job that a worker was woken for, until the deadline at most.
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
    match queue::claim(&platform.db, wake, LEASE.length).await? {
        Claim::Taken => attend(platform, wake, deadline, LEASE).await,
        // Its worker may have died: whoever is woken then finds out.
        Claim::Hidden(rest) => platform.queue.wake(wake, rest).await,
        Claim::Gone => Ok(()),
    }
}

/// Works on a job that was taken, and takes it off the queue or puts it back.
async fn attend(
    platform: &Platform,
    wake: Wake,
    deadline: Deadline,
    lease: Lease,
) -> anyhow::Result<()> {
    let end = tokio::select! {
        // On the heap: what a slice holds is large.
        end = Box::pin(work(platform, wake, deadline)) => end,
        never = prolong(platform, wake, lease) => match never {},
    };
    match end {
        Ok(End::Over) => Ok(queue::delete(&platform.db, wake).await?),
        Ok(End::Again) => put_back(platform, wake, Duration::ZERO).await,
        Ok(End::Later(reason)) => {
            tracing::warn!(reason, job = %wake.job, tenant = %wake.tenant, "a job has to wait");
            retry(platform, wake, &reason).await
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(error, job = %wake.job, tenant = %wake.tenant, "a job went wrong");
            retry(platform, wake, "the log has the cause").await
        }
    }
}

/// Keeps the job from other workers for as long as this is polled.
async fn prolong(platform: &Platform, wake: Wake, lease: Lease) -> Infallible {
    loop {
        tokio::time::sleep(lease.heartbeat).await;
        if let Err(error) = queue::hide(&platform.db, wake, lease.length).await {
            tracing::warn!(%error, job = %wake.job, "the job's lease could not be prolonged");
        }
    }
}

async fn put_back(platform: &Platform, wake: Wake, pause: Duration) -> anyhow::Result<()> {
    queue::hide(&platform.db, wake, pause).await?;
    platform.queue.wake(wake, pause).await
}

async fn work(platform: &Platform, wake: Wake, deadline: Deadline) -> anyhow::Result<End> {
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
    };
    lines.hang_up().await;
    Ok(worked)
}

async fn slice(platform: &Platform, lines: &mut Lines, wake: Wake) -> anyhow::Result<End> {
    let now = Utc::now().trunc_subsecs(6);
    let Wake { tenant, job: id } = wake;
    let mut tx = db::begin(&platform.db, tenant).await?;
    let Some(job) = jobs::lock_in_progress(&mut tx, tenant, id).await? else {
        return Ok(End::Over);
    };
    let step = match job.kind.as_str() {
        replay::KIND => {
            let (payload, progress) = (job.payload.clone(), job.progress.clone());
            replay::step(&mut tx, tenant, payload, progress, now).await?
        }
        sync::KIND => Box::pin(sync::step(platform, &mut tx, lines, (tenant, &job), now)).await?,
        discover::KIND => {
            let step = discover::step(platform, &mut tx, lines, (tenant, &job), now);
            Box::pin(step).await?
        }
        other => Step::Failed(format!("no worker knows jobs of the kind `{other}`")),
    };
    let end = match step {
        Step::More(progress) => {
            jobs::advance(&mut tx, tenant, id, &progress, now).await?;
            tx.commit().await?;
            return Ok(End::Again);
        }
        Step::Done(result) => Ok(result),
        Step::Failed(error) => Err(error),
        // What the slice has done is undone with it.
        Step::Later(reason) => return Ok(End::Later(reason)),
    };
    finish(&mut tx, tenant, &job, &end).await?;
    tx.commit().await?;
    Ok(End::Over)
}

/// Lets the job rest, or gives it up where it was tried too often.
async fn retry(platform: &Platform, wake: Wake, reason: &str) -> anyhow::Result<()> {
    let mut tx = db::begin(&platform.db, wake.tenant).await?;
    let job = jobs::find(&mut tx, wake.tenant, wake.job).await?;
    jobs::note(&mut tx, wake.tenant, wake.job, reason).await?;
    tx.commit().await?;
    let attempts = job.map_or(MOST_ATTEMPTS, |it| it.attempts);
    if MOST_ATTEMPTS <= attempts {
        give_up(platform, wake, reason).await?;
        return Ok(queue::delete(&platform.db, wake).await?);
    }
    let pause = PAUSES[usize::try_from(attempts - 1).unwrap_or(0)];
    // Up to a quarter more, so that jobs that failed together do not come back together.
    let jitter = pause.as_secs() * u64::from(Uuid::new_v4().as_bytes()[0]);
    let pause = pause + Duration::from_millis(jitter);
    put_back(platform, wake, pause).await
}

async fn give_up(platform: &Platform, wake: Wake, reason: &str) -> anyhow::Result<()> {
    let error = format!("given up after {MOST_ATTEMPTS} attempts: {reason}");
    let mut tx = db::begin(&platform.db, wake.tenant).await?;
    if let Some(job) = jobs::lock_in_progress(&mut tx, wake.tenant, wake.job).await? {
        finish(&mut tx, wake.tenant, &job, &Err(error)).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn finish(
    conn: &mut db::Connection,
    tenant: TenantId,
    job: &Job,
    end: &Result<Value, String>,
) -> anyhow::Result<()> {
    let now = Utc::now().trunc_subsecs(6);
    metrics::count("JobsEnded", 1);
    metrics::count("JobsFailed", usize::from(end.is_err()));
    if matches!(job.kind.as_str(), sync::KIND | discover::KIND) {
        let how = end.as_ref().map(drop).map_err(String::as_str);
        pull::ended(conn, tenant, job, how, now).await?;
    }
    jobs::end(conn, tenant, job.id, end, now).await?;
    let entry = Entry {
        at: now,
        actor: "system".to_owned(),
        action: "job.end",
        object: format!("job:{}", job.id),
        before: None,
        after: Some(json!({ "result": end.as_ref().ok(), "error": end.as_ref().err() })),
    };
    audit::append(conn, tenant, &entry).await?;
    Ok(())
}
