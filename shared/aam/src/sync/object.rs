//! One object of a source in a sync.

use chrono::{DateTime, Utc};
use schema::RunId;
use schema::run::FirstRejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sources::{Batch, Checkpoint, Incomplete, ReadScope, RecordBody, SourceError, SourceErrorKind};
use uuid::Uuid;

use super::claims::{self, RowClaims};
use super::deletions::Gone;
use super::phase::{Phase, PhaseEvent};
use crate::db::runs::{self, RunKind};
use crate::db::{self, Connection, stored_records, sync_positions};
use crate::ingest::{Counts, Item, Op, Passage, Run, Stream};

/// How far the sync of an object is. It is stored between two batches.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObjectSync {
    /// The object's name: that of the source's stream.
    pub object: String,
    pub(super) run: RunId,
    started_at: DateTime<Utc>,
    pub(super) phase: Phase,
    bytes: u64,
    pub(super) counts: Counts,
    /// Whether what is gone from the source may be deleted without another look, however much it
    /// is.
    pub(super) confirm_deletes: bool,
    /// How many records of it were stored before, where all are read.
    pub(super) stored_before: Option<u64>,
    /// Where the read ended, and the shape of the keys that came.
    pub(super) last_read: Option<(Value, String)>,
    /// Where the next incremental sync begins, once this one is done.
    checkpoint: Option<Checkpoint>,
    /// What is left undone, and why.
    warnings: Vec<String>,
    /// The first record that was quarantined.
    #[serde(default)]
    pub(super) first_rejection: Option<FirstRejection>,
}

/// What the source said, to be written.
#[derive(Debug)]
pub enum Fetched {
    /// Records.
    Batch(Box<FetchedBatch>),
    /// Which stored records it has no more.
    Gone(Gone),
}

/// A batch, and what was found out about it.
#[derive(Debug)]
pub struct FetchedBatch {
    pub(super) batch: Batch,
    pub(super) claims: RowClaims,
    /// Whether the source can be asked which stored records it has no more.
    pub(super) finds_deletions: bool,
}

impl ObjectSync {
    /// One that begins at the checkpoint, or reads all where there is none.
    pub fn new(
        object: String,
        checkpoint: Option<Value>,
        confirm_deletes: bool,
        now: DateTime<Utc>,
    ) -> ObjectSync {
        ObjectSync {
            object,
            run: RunId(Uuid::now_v7()),
            started_at: now,
            phase: match checkpoint {
                Some(state) => Phase::Incremental { state },
                None => Phase::Snapshot { state: None },
            },
            bytes: 0,
            counts: Counts::default(),
            confirm_deletes,
            stored_before: None,
            last_read: None,
            checkpoint: None,
            warnings: vec![],
            first_rejection: None,
        }
    }

    /// What became of its records so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What it is doing.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Its run.
    pub fn run(&self) -> Run {
        let warning = self.warnings.join("; ");
        Run {
            id: self.run,
            kind: RunKind::Sync,
            file: None,
            bytes: self.bytes,
            started_at: self.started_at,
            counts: self.counts,
            warning: Some(warning).filter(|it| !it.is_empty()),
            first_rejection: self.first_rejection.clone(),
        }
    }

    /// Where the read stands; none where nothing is read any more, or nothing was yet.
    pub fn read_state(&self) -> Option<&Value> {
        match &self.phase {
            Phase::Snapshot { state } => state.as_ref(),
            Phase::Incremental { state } => Some(state),
            Phase::Deletions { .. } | Phase::QuarantineDeletions { .. } | Phase::Done => None,
        }
    }

    /// Looks whether a batch leads on from where the read stands.
    ///
    /// # Errors
    /// Where it does not: the read would never end.
    pub fn check_batch(&self, batch: &Batch) -> Result<(), SourceError> {
        if batch.exhausted || self.read_state() != Some(&batch.state) {
            return Ok(());
        }
        Err(refused(format!(
            "the read of `{}` stands still: its source gives the same place again, so nothing \
             more was read",
            self.object
        )))
    }

    /// Writes what the source said, and how far that is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        fetched: Fetched,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        match fetched {
            Fetched::Batch(fetched) => self.write_batch(conn, stream, *fetched, now).await,
            Fetched::Gone(gone) => self.write_gone(conn, stream, gone, now).await,
        }
    }

    async fn write_batch(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        fetched: FetchedBatch,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let FetchedBatch {
            batch,
            claims,
            finds_deletions,
        } = fetched;
        if batch.scope == ReadScope::Snapshot && self.stored_before.is_none() {
            let object = stream.object.key();
            let stored = stored_records::count_raw(conn, stream.tenant, object).await?;
            self.stored_before = Some(stored);
        }
        claims::release(conn, stream, &claims).await?;
        self.write_records(conn, stream, (&batch, &claims), now)
            .await?;
        self.quarantine_too_large(conn, stream, &batch, now).await?;
        self.warnings.extend(batch.warnings);
        let incomplete = batch.incomplete.filter(|_| !self.confirm_deletes);
        self.phase = std::mem::replace(&mut self.phase, Phase::Done).next(PhaseEvent::Batch {
            scope: batch.scope,
            state: (!batch.exhausted).then(|| batch.state.clone()),
            finds_deletions: finds_deletions && incomplete.is_none(),
        });
        self.last_read = Some((batch.state, batch.key_shape));
        self.warnings.extend(incomplete.map(nothing_deleted));
        self.checkpoint = batch.checkpoint.or(self.checkpoint.take());
        if batch.scope == ReadScope::Changes {
            self.store_checkpoint(conn, stream, now).await?;
        }
        self.advance(conn, stream, now).await
    }

    /// Notes how far the run is; its end where nothing is left.
    pub(super) async fn advance(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let done = self.phase == Phase::Done;
        if done {
            self.store_checkpoint(conn, stream, now).await?;
        }
        let run = self.run();
        if done {
            return runs::finish(conn, stream.tenant, stream.object.key(), &run, now).await;
        }
        runs::advance(conn, stream.tenant, &run).await
    }

    /// Notes where the next incremental sync begins.
    async fn store_checkpoint(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let Some(checkpoint) = self.checkpoint.take() else {
            return Ok(());
        };
        let object = stream.object.key();
        sync_positions::upsert(conn, stream.tenant, object, &checkpoint.state, now).await?;
        if let Some(cursor) = &checkpoint.cursor {
            runs::set_cursor(conn, stream.tenant, self.run, cursor).await?;
        }
        Ok(())
    }

    /// Stores the records of a batch, and deletes what their rows were before their ids changed.
    /// Rows that were kept aside because of those get their turn.
    async fn write_records(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        (batch, claims): (&Batch, &RowClaims),
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let items: Vec<_> = batch
            .records
            .iter()
            .filter_map(|it| match &it.body {
                RecordBody::Upsert(body) => Some(upsert(body, &it.key)),
                RecordBody::Delete | RecordBody::TooLarge { .. } => None,
            })
            .collect();
        self.bytes += items.iter().map(|it| it.payload.len() as u64).sum::<u64>();
        self.write_items(conn, stream, &items, now).await?;
        self.delete_records(conn, stream, batch, now).await?;
        let left = claims::list_left(conn, stream, claims, &items).await?;
        if left.is_empty() {
            return Ok(());
        }
        self.delete(conn, stream, &left, now).await?;
        let object = stream.object.key();
        let waiting = stored_records::list_waiting(conn, stream.tenant, object, &left).await?;
        let items: Vec<_> = waiting
            .iter()
            .map(|(body, key)| upsert(body, key))
            .collect();
        self.write_items(conn, stream, &items, now).await
    }

    pub(super) async fn delete(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        ids: &[String],
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let items: Vec<_> = ids.iter().map(|it| delete(it)).collect();
        self.write_items(conn, stream, &items, now).await
    }

    async fn write_items(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        items: &[Item<'_>],
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let mut passage = Passage::new(stream.clone(), self.run());
        // On the heap: what it holds is large, and its callers are deep.
        Box::pin(passage.write(conn, items, now)).await?;
        self.counts = passage.run.counts;
        self.first_rejection = passage.run.first_rejection;
        Ok(())
    }
}

/// Something that the user has to look at before anything else is done.
pub(super) fn refused(message: String) -> SourceError {
    SourceError::new(SourceErrorKind::Schema, "/objects", message)
}

fn nothing_deleted(incomplete: Incomplete) -> String {
    format!(
        "{}, so nothing was deleted: {}, or sync with {{\"mode\": \"full\", \"confirm_deletes\": \
         true}} if all were shown",
        incomplete.reason, incomplete.remedy
    )
}

fn upsert<'a>(body: &'a str, key: &'a str) -> Item<'a> {
    Item {
        payload: body.as_bytes(),
        line: None,
        occurred_at: None,
        origin: None,
        op: Op::Upsert,
        source_id: None,
        source_key: Some(key),
    }
}

fn delete(id: &str) -> Item<'_> {
    Item {
        payload: b"{}",
        line: None,
        occurred_at: None,
        origin: None,
        op: Op::Delete,
        source_id: Some(id),
        source_key: None,
    }
}
