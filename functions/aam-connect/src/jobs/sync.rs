//! The job `sync`: a source's records, stream by stream, batch by batch.

use aam::db::{runs, sync_positions};
use aam::ingest::{Counts, Stream};
use aam::sync::{ContestedBatch, Fetched, ObjectSync, PendingRowClaims, Phase};
use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, join};
use platform::audit::Signer;
use platform::jobs::{Job, JobEnd};
use platform::{db, storage};
use schema::source::ObjectRef;
use schema::{Error, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sources::{Batch, SourceError, SourceErrorKind};

use super::object::{columns, object_ref, record_schema};
use super::{
    Failure, JobKind, Mode, Rejected, Slice, SliceOutcome, SourceJob, TimeLimit, Work,
    end_by_counts, end_source_job,
};
use crate::connection::source::Source;

pub(crate) const NAME: &str = "sync";

/// Reads a source's records.
pub(crate) struct Sync;

/// How far a sync is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct SyncProgress {
    /// Of all streams.
    counts: Counts,
    /// How many streams are done.
    done: usize,
    current: Option<ObjectSync>,
    /// What went wrong with single streams; the others go on.
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    rejected: Option<Rejected>,
}

impl JobKind for Sync {
    fn name(&self) -> &'static str {
        NAME
    }

    fn time_limit(&self) -> TimeLimit {
        TimeLimit {
            hours: 24,
            advice: "sync fewer tables at a time, with {\"objects\": [\"…\"]}",
        }
    }

    fn run_slice<'a>(
        &'a self,
        slice: &'a mut Slice<'_>,
    ) -> BoxFuture<'a, Result<SliceOutcome, Failure>> {
        Box::pin(run_slice(slice))
    }

    fn end<'a>(
        &'a self,
        (conn, _): (&'a mut db::Connection, &'a Signer),
        tenant: TenantId,
        ended: (&'a Job, &'a JobEnd),
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(end_source_job(conn, tenant, ended, now))
    }
}

/// Begins a stream, or brings one batch of it in.
async fn run_slice(slice: &mut Slice<'_>) -> Result<SliceOutcome, Failure> {
    let work = slice.work;
    let payload: SourceJob = work.payload().context("the payload of a sync")?;
    let progress = SyncProgress::read(work.job.progress.as_ref());
    let source = work.find_source(payload.connection_id).await?;
    let names = payload.streams(&source);
    if progress.current.is_none() && progress.done >= names.len() {
        return progress.end();
    }
    let sync = SourceSync {
        work,
        source: &source,
        payload: &payload,
    };
    match progress.current.clone() {
        Some(current) => Box::pin(sync.go_on(slice, current, progress)).await,
        None => Box::pin(sync.begin(slice, &names[progress.done], progress)).await,
    }
}

impl SyncProgress {
    /// What is stored of the progress. What another version of the platform has left is begun
    /// again: a sync may be.
    fn read(stored: Option<&Value>) -> SyncProgress {
        let progress = stored.and_then(|it| SyncProgress::deserialize(it).ok());
        progress.unwrap_or_default()
    }

    fn end(self) -> Result<SliceOutcome, Failure> {
        if self.errors.is_empty() {
            return end_by_counts(self.counts, self.rejected.as_ref());
        }
        Ok(SliceOutcome::Failed(self.errors.join("; ")))
    }
}

/// What a slice works on.
struct SourceSync<'a> {
    work: Work<'a>,
    source: &'a Source,
    payload: &'a SourceJob,
}

type SliceResult = Result<SliceOutcome, Failure>;

/// What became of a batch.
enum Brought {
    Written(SliceOutcome),
    /// The source is to be asked about rows before it can be written.
    Contested(Box<ContestedBatch>),
}

impl SourceSync<'_> {
    /// Takes up the next stream: records its structure and begins its run.
    async fn begin(
        &self,
        slice: &mut Slice<'_>,
        name: &str,
        mut progress: SyncProgress,
    ) -> SliceResult {
        progress.done += 1;
        let Some(object) = self.object(name)? else {
            let error = format!("`{name}` is no longer in the connection's config");
            progress.errors.push(error);
            let tx = self.work.begin().await?;
            return self.work.commit(tx, &progress).await;
        };
        let described = slice.session(self.source).await?.discover(name).await;
        let mut tx = self.work.begin().await?;
        self.work
            .lock_connection(&mut tx, object.connection)
            .await?;
        let description = match described {
            Ok(description) => description,
            Err(error) => {
                progress.note(error)?;
                return self.work.commit(tx, &progress).await;
            }
        };
        let columns = columns(&description.schema);
        let open = Stream::open_with_columns;
        let tenant = self.work.tenant();
        let stream = open(&mut tx, tenant, &object, Some(&columns), self.work.now).await?;
        record_schema(&mut tx, &stream, &description.schema, self.work.now).await?;
        let checkpoint = match self.payload.mode {
            Mode::Full => None,
            Mode::Incremental => {
                sync_positions::find(&mut tx, self.work.tenant(), object.key()).await?
            }
        };
        let confirmed = self.payload.confirm_deletes;
        let current = ObjectSync::new(name.to_owned(), checkpoint, confirmed, self.work.now);
        runs::insert(&mut tx, self.work.tenant(), object.key(), &current.run()).await?;
        progress.current = Some(current);
        self.work.commit(tx, &progress).await
    }

    /// Brings the next batch of the current stream in, or deletes what is gone from it.
    async fn go_on(
        &self,
        slice: &mut Slice<'_>,
        current: ObjectSync,
        mut progress: SyncProgress,
    ) -> SliceResult {
        let object = self.object(&current.object)?.ok_or_else(|| {
            let name = &current.object;
            let message = format!("`{name}` is no longer in the connection's config");
            SourceError::new(SourceErrorKind::Schema, "/objects", message)
        });
        let went = match object {
            Ok(object) => Box::pin(self.bring(slice, &object, &current, &progress)).await,
            Err(error) => Err(Failure::Source(error)),
        };
        match went {
            Err(Failure::Source(error)) if !error.is_transient() => {
                slice.sessions.close().await;
                let mut tx = self.work.begin().await?;
                let (run, reason) = (current.run().id, error.to_string());
                runs::fail(&mut tx, self.work.tenant(), run, &reason, self.work.now).await?;
                progress.close(&current);
                progress.current = None;
                progress.note(error)?;
                self.work.commit(tx, &progress).await
            }
            went => went,
        }
    }

    /// Asks the source what comes next and writes it. No transaction is open while it is asked.
    async fn bring(
        &self,
        slice: &mut Slice<'_>,
        object: &ObjectRef,
        current: &ObjectSync,
        progress: &SyncProgress,
    ) -> SliceResult {
        current.check_deletions().map_err(Failure::Source)?;
        if let Phase::Deletions { .. } | Phase::QuarantineDeletions { .. } = current.phase() {
            let pool = &self.work.platform.db;
            let mut tx = db::begin(pool, self.work.tenant()).await?;
            let stream = Stream::open(&mut tx, self.work.tenant(), object, self.work.now).await?;
            let candidates = current.list_candidates(&mut tx, &stream).await?;
            tx.commit().await?;
            let session = slice.session(self.source).await?;
            let gone = current.find_gone(session, candidates).await;
            let gone = gone.map_err(Failure::Source)?;
            return self.write(object, (current, progress), gone).await;
        }
        let batch = self.read(slice, current).await?;
        let session = slice.session(self.source).await?;
        let finds_deletions = session.lookup().is_some();
        // While this batch is looked up and written, the next one is fetched.
        let next = (!batch.exhausted).then(|| batch.state.clone());
        let sessions = &mut *slice.sessions;
        let write = async {
            let pending = self.list_claims(object, current, &batch).await?;
            match pending.settle(batch, finds_deletions) {
                Ok(fetched) => Ok(Brought::Written(
                    self.write(object, (current, progress), fetched).await?,
                )),
                Err(contested) => Ok(Brought::Contested(contested)),
            }
        };
        let prefetch = async {
            if let Some(state) = &next {
                let (key, name) = (self.source.key, current.object.as_str());
                sessions.prefetch(key, name, state).await;
            }
        };
        let (brought, ()) = join(Box::pin(write), Box::pin(prefetch)).await;
        let contested = match brought {
            Ok(Brought::Written(outcome)) => return Ok(outcome),
            Ok(Brought::Contested(contested)) => contested,
            Err(failure) => return Err(failure),
        };
        let session = slice.session(self.source).await?;
        let resolved = current.resolve_claims(session, *contested).await;
        let fetched = resolved.map_err(Failure::Source)?;
        self.write(object, (current, progress), fetched).await
    }

    /// The next batch of records.
    async fn read(&self, slice: &mut Slice<'_>, current: &ObjectSync) -> Result<Batch, Failure> {
        let read = (current.object.as_str(), current.read_state());
        let batch = match slice.sessions.take_prefetched(self.source.key, read) {
            Some(batch) => batch,
            None => {
                let session = slice.session(self.source).await?;
                let batch = session.read(read.0, read.1).await;
                batch.map_err(Failure::Source)?
            }
        };
        current.check_batch(&batch).map_err(Failure::Source)?;
        Ok(batch)
    }

    /// Looks which rows of a batch are not those of the records with their ids.
    async fn list_claims(
        &self,
        object: &ObjectRef,
        current: &ObjectSync,
        batch: &Batch,
    ) -> Result<PendingRowClaims, Failure> {
        if !current.may_move_ids() {
            return Ok(PendingRowClaims::default());
        }
        let pool = &self.work.platform.db;
        let mut tx = db::begin(pool, self.work.tenant()).await?;
        let stream = Stream::open(&mut tx, self.work.tenant(), object, self.work.now).await?;
        let pending = current.list_claims(&mut tx, &stream, batch).await?;
        tx.commit().await?;
        Ok(pending)
    }

    /// Writes what the source said, and how far that is.
    async fn write(
        &self,
        object: &ObjectRef,
        (current, progress): (&ObjectSync, &SyncProgress),
        fetched: Fetched,
    ) -> SliceResult {
        let (mut current, mut progress) = (current.clone(), progress.clone());
        let mut tx = self.work.begin().await?;
        self.work
            .lock_connection(&mut tx, object.connection)
            .await?;
        let stream = Stream::open(&mut tx, self.work.tenant(), object, self.work.now).await?;
        let before = current.counts().added();
        current
            .write(&mut tx, &stream, fetched, self.work.now)
            .await?;
        if before < current.counts().added() {
            self.check_storage(&mut tx).await?;
        }
        progress.current = if *current.phase() == Phase::Done {
            progress.close(&current);
            None
        } else {
            Some(current)
        };
        self.work.commit(tx, &progress).await
    }

    /// Ends the job where there is no room for what the transaction has added. The next sync goes on
    /// from the checkpoint before.
    async fn check_storage(&self, tx: &mut db::Connection) -> Result<(), Failure> {
        let checked = storage::check(self.work.platform, tx, self.work.tenant()).await;
        checked.map_err(|problem| match problem.error() {
            Error::StorageFull(detail) => Failure::Ended(SliceOutcome::Failed(detail.clone())),
            _ => Failure::Platform(problem.into_anyhow()),
        })
    }

    /// The object of that name; none where the config does not select it any more.
    fn object(&self, name: &str) -> anyhow::Result<Option<ObjectRef>> {
        let stream = self.source.stream(name);
        let object = stream.map(|it| object_ref(self.payload.connection_id, self.source, it));
        object.transpose()
    }
}

impl SyncProgress {
    /// Adds what a stream came to.
    fn close(&mut self, current: &ObjectSync) {
        self.counts += current.counts();
        if self.rejected.is_none() {
            self.rejected = current.run().first_rejection.map(|first| Rejected {
                object: current.object.clone(),
                first,
            });
        }
    }

    /// Goes on without a stream that cannot be read, unless that may pass.
    fn note(&mut self, error: SourceError) -> Result<(), Failure> {
        if error.is_transient() {
            return Err(Failure::Source(error));
        }
        self.errors.push(error.to_string());
        Ok(())
    }
}
