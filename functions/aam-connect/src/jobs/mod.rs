//! The kinds of jobs that the worker knows. A new one is a file here, a `mod` and an entry in
//! [`KINDS`].

pub(crate) mod discard;
pub(crate) mod discover;
mod object;
pub(crate) mod replay;
pub(crate) mod sync;

use aam::db::runs::{self, Counts};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use platform::audit::Signer;
use platform::db::queue::LeasedJob;
use platform::jobs::{Fence, Job, JobEnd, LeasedTransaction, NewJob, begin_leased};
use platform::{Platform, Problem, db};
use schema::run::{FirstRejection, RunOutcome};
use schema::{ConnectionId, Error, RunId, TenantId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sources::{Session, SourceError};
use utoipa::ToSchema;

use crate::connection::session::SessionCache;
use crate::connection::source::Source;
use crate::db::connections::{ConnectionStatus, source};

/// Every kind of jobs there is.
pub(crate) const KINDS: &[&dyn JobKind] = &[
    &sync::Sync,
    &discover::Discover,
    &replay::ReplayRecords,
    &discard::DiscardRecords,
];

/// One kind of jobs.
pub(crate) trait JobKind: std::marker::Sync {
    /// The word in a job's `kind`.
    fn name(&self) -> &'static str;

    /// For how long one may run.
    fn time_limit(&self) -> TimeLimit;

    /// Does a part of the work, of some seconds at most.
    ///
    /// # Errors
    /// See [`Failure`].
    fn run_slice<'a>(
        &'a self,
        slice: &'a mut Slice<'_>,
    ) -> BoxFuture<'a, Result<SliceOutcome, Failure>>;

    /// Notes a job's end, in the transaction that ends it: what it was in the middle of does not
    /// go on.
    fn end<'a>(
        &'a self,
        audited: (&'a mut db::Connection, &'a Signer),
        tenant: TenantId,
        ended: (&'a Job, &'a JobEnd),
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// The kind of that name.
pub(crate) fn find(name: &str) -> Option<&'static dyn JobKind> {
    KINDS.iter().find(|it| it.name() == name).copied()
}

/// For how long jobs of a kind may run.
pub(crate) struct TimeLimit {
    /// From when a worker first took it up.
    pub(crate) hours: i64,
    /// What to do then.
    pub(crate) advice: &'static str,
}

/// What one slice of a job came to.
pub(crate) enum SliceOutcome {
    /// There is more to do; this progress was committed.
    Advanced(Value),
    /// It is done, with this result.
    Done(Value),
    /// It cannot be done, for this reason.
    Failed(String),
    /// It cannot be done for now, for this reason.
    Retry(String),
    /// Somebody wants it ended.
    Canceled,
    /// Another worker has it: nothing was written.
    Lost,
    /// It is over: nothing was written.
    Over,
}

/// A part of the work on a job.
pub(crate) struct Slice<'a> {
    pub(crate) work: Work<'a>,
    /// The session with the source that the slices before have opened.
    pub(crate) sessions: &'a mut SessionCache,
}

/// The job that a worker holds.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) leased: LeasedJob,
    pub(crate) job: &'a Job,
    pub(crate) now: DateTime<Utc>,
}

impl Work<'_> {
    pub(crate) fn tenant(&self) -> TenantId {
        self.leased.job_ref.tenant
    }

    /// What the job is to do.
    pub(crate) fn payload<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.job.payload)
    }

    /// Begins the transaction in which the slice writes what it came to.
    pub(crate) async fn begin(&self) -> Result<LeasedTransaction, Failure> {
        match begin_leased(&self.platform.db, self.leased).await? {
            Fence::Held(tx) => Ok(tx),
            Fence::Lost => Err(Failure::Ended(SliceOutcome::Lost)),
            Fence::Over => Err(Failure::Ended(SliceOutcome::Over)),
            Fence::Canceled => Err(Failure::Ended(SliceOutcome::Canceled)),
        }
    }

    /// Commits the transaction together with the job's progress, without waiting for the disk: the
    /// job goes on, and its end waits for all that was written before. Where the database crashes
    /// before, records and progress are together what they were a moment ago.
    pub(crate) async fn commit(
        &self,
        mut tx: LeasedTransaction,
        progress: &impl Serialize,
    ) -> Result<SliceOutcome, Failure> {
        let progress = serde_json::to_value(progress)?;
        if self.job.progress.as_ref() == Some(&progress) {
            return Ok(SliceOutcome::Failed(STANDSTILL.to_owned()));
        }
        let job = self.leased.job_ref;
        db::jobs::advance(&mut tx, job.tenant, job.job, &progress, self.now).await?;
        if !tx.commit_async().await? {
            return Ok(SliceOutcome::Lost);
        }
        Ok(SliceOutcome::Advanced(progress))
    }

    /// Keeps the job's connection until the end of the transaction.
    async fn lock_connection(
        &self,
        conn: &mut db::Connection,
        id: ConnectionId,
    ) -> Result<(), Failure> {
        let held = aam::db::connections::lock_for_ingest(conn, self.tenant(), &[id]).await?;
        if held.is_empty() {
            return Err(connection_deleted());
        }
        Ok(())
    }

    /// The source of the job's connection.
    async fn find_source(&self, id: ConnectionId) -> Result<Source, Failure> {
        let mut tx = db::read(&self.platform.db, self.tenant()).await?;
        let source = Source::find(&mut tx, self.tenant(), id).await;
        source
            .map_err(Problem::into_anyhow)?
            .ok_or_else(connection_deleted)
    }
}

impl Slice<'_> {
    /// The session with the source, opened where it is not.
    async fn session(&mut self, source: &Source) -> Result<&mut dyn Session, Failure> {
        if self.sessions.get(source.key).is_none() {
            let platform = self.work.platform;
            let mut tx = db::begin(&platform.db, self.work.tenant()).await?;
            // On the heap: it may ask for a key, which is large.
            let config = Box::pin(source.config_with_secrets(platform, &mut tx)).await;
            tx.commit().await?;
            let config = config.map_err(Problem::into_anyhow)?;
            let session = source.connect(platform, config).await;
            let session = session.map_err(Failure::Source)?;
            self.sessions.insert(source.key, session).await;
        }
        Ok(self.sessions.get(source.key).expect("it was just opened"))
    }
}

const STANDSTILL: &str = "it stood still: a step ended where the one before it did. Check that the \
                          key and the cursor of the table never change, and start it again";

/// What a job that asks a source is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SourceJob {
    pub(crate) connection_id: ConnectionId,
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Names of streams; all where it is left out.
    #[serde(default)]
    pub(crate) objects: Option<Vec<String>>,
    /// Whether most of what is stored may be deleted.
    #[serde(default)]
    pub(crate) confirm_deletes: bool,
}

/// How much of a source is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// What changed since the last time, where the source can tell; else all.
    #[default]
    Incremental,
    /// All of it; what is no longer there is deleted.
    Full,
}

impl SourceJob {
    /// What changed in all streams of a connection.
    pub(crate) fn incremental(connection_id: ConnectionId) -> SourceJob {
        SourceJob {
            connection_id,
            mode: Mode::Incremental,
            objects: None,
            confirm_deletes: false,
        }
    }

    /// As a job of that kind, of which a connection has one at a time.
    pub(crate) fn queue(&self, kind: &'static str) -> schema::Result<NewJob> {
        Ok(NewJob::new(kind, subject(self.connection_id), self)?.unique())
    }

    /// The streams to read, as the config selects them now.
    fn streams(&self, source: &Source) -> Vec<String> {
        match &self.objects {
            Some(names) => names.clone(),
            None => source.streams.iter().map(|it| it.name.clone()).collect(),
        }
    }
}

/// What a job about a connection is about.
pub(crate) fn subject(connection: ConnectionId) -> String {
    format!("connection:{connection}")
}

/// Makes sure that no job reads the connection's source, which is about to become another one.
///
/// # Errors
/// [`Error::Conflict`] where one does.
pub(crate) async fn check_source_unused(
    conn: &mut db::Connection,
    tenant: TenantId,
    connection: ConnectionId,
) -> platform::Result<()> {
    let kinds = [sync::NAME, discover::NAME];
    if db::jobs::exists_unfinished(conn, tenant, &kinds, &subject(connection)).await? {
        let detail = "a job still reads the source that the config leads to now: wait for its end, \
                      or cancel it, see GET /api/v1/tasks";
        return Err(Error::conflict(detail).into());
    }
    Ok(())
}

/// Why a slice stopped in the middle.
pub(crate) enum Failure {
    /// The source: the job fails, or is tried again where the error is transient.
    Source(SourceError),
    /// The platform itself: the job is tried again.
    Platform(anyhow::Error),
    /// Nothing more is to be done: this is what the slice came to.
    Ended(SliceOutcome),
}

fn connection_deleted() -> Failure {
    Failure::Ended(SliceOutcome::Failed(
        "the connection was deleted".to_owned(),
    ))
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Platform(error.into())
    }
}

impl From<SourceError> for SliceOutcome {
    fn from(error: SourceError) -> SliceOutcome {
        if error.is_transient() {
            SliceOutcome::Retry(error.to_string())
        } else {
            SliceOutcome::Failed(error.to_string())
        }
    }
}

/// The end of a job that asks a source: no run goes on, and the connection's status says how it
/// went. Of a source, a job that was canceled says nothing.
async fn end_source_job(
    conn: &mut db::Connection,
    tenant: TenantId,
    (job, end): (&Job, &JobEnd),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    // A job that cannot be read has asked nothing.
    let Ok(payload) = SourceJob::deserialize(&job.payload) else {
        return Ok(());
    };
    end_run(conn, tenant, (job, end), now).await?;
    let progress = job.progress.as_ref();
    let some_came = progress.is_some_and(|it| {
        let errors = it["errors"].as_array();
        errors.is_some_and(|it| !it.is_empty())
            || Counts::deserialize(&it["counts"]).is_ok_and(|it| it.outcome() == RunOutcome::Failed)
    });
    let status = match end {
        JobEnd::Success(_) => ConnectionStatus::Active,
        JobEnd::Failed(_) if some_came => ConnectionStatus::Healing,
        JobEnd::Failed(_) => ConnectionStatus::Failed,
        JobEnd::Canceled => return Ok(()),
    };
    source::set_status(conn, tenant, payload.connection_id, status).await?;
    if let JobEnd::Success(_) = end {
        source::settle_status(conn, tenant, payload.connection_id).await?;
    }
    Ok(())
}

/// What a job came to that has brought these records in: a failure where all were quarantined.
fn end_by_counts(counts: Counts, first: Option<&Rejected>) -> Result<SliceOutcome, Failure> {
    if counts.outcome() == RunOutcome::Failed {
        let Some(Rejected { object, first }) = first else {
            let error = format!("all {} records were quarantined", counts.quarantined);
            return Ok(SliceOutcome::Failed(error));
        };
        let error = format!("{object}: {}", first.explain(counts.quarantined));
        return Ok(SliceOutcome::Failed(error));
    }
    let mut result = serde_json::to_value(counts)?;
    result["status"] = serde_json::to_value(counts.outcome())?;
    Ok(SliceOutcome::Done(result))
}

/// The first record of a job that was quarantined.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rejected {
    object: String,
    first: FirstRejection,
}

/// Ends the run that a job was in the middle of, unless the job is done.
async fn end_run(
    conn: &mut db::Connection,
    tenant: TenantId,
    (job, end): (&Job, &JobEnd),
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
