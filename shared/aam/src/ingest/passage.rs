//! A passage: records of one stream on their way into the database, as one run.
//!
//! **Invariant:** the counts of a passage are of what its caller's transactions have written. Where
//! one of them is rolled back the passage is void: fail its run, or begin again from what is
//! stored of it.

use chrono::{DateTime, Utc};
use schema::drift::DriftEvent;

use super::batch::write_batch;
use super::file_rows::FileRows;
use super::quarantine::{self, UnreadRecord};
use super::rejection::first_rejection;
use super::schema_versions::record_inferred;
use super::{Item, Outcome, Run, Stream};
use crate::db::runs::{self, RunKind};
use crate::db::{self, Connection};
use crate::inference::{Column, FieldCoverage, SchemaInference};

/// Records of one stream on their way in.
#[derive(Debug)]
pub struct Passage {
    /// Where the records come from and how they are read.
    pub stream: Stream,
    /// What became of them so far.
    pub run: Run,
    pub(super) inference: SchemaInference,
    pub(super) file: FileRows,
}

impl Passage {
    /// The passage of a run that begins, or goes on.
    pub fn new(stream: Stream, run: Run) -> Passage {
        let coverage = match run.kind {
            RunKind::Events => FieldCoverage::Partial,
            // The columns of a file are told by its reader; a replay teaches nothing new; a source
            // that is asked declares its structure.
            RunKind::Upload | RunKind::Replay | RunKind::Sync => FieldCoverage::Header,
        };
        Passage {
            stream,
            run,
            inference: SchemaInference::new(coverage),
            file: FileRows::default(),
        }
    }

    /// Notes that the run begins. One that begins and ends in one transaction needs no note.
    pub async fn begin(&self, conn: &mut Connection) -> db::Result<()> {
        let stream = &self.stream;
        runs::insert(conn, stream.tenant, stream.object.key(), &self.run).await
    }

    /// Stores the items, in a constant number of statements, and says what became of each.
    ///
    /// What the records of events look like is learnt, whether they were written or kept aside.
    pub async fn write(
        &mut self,
        conn: &mut Connection,
        items: &[Item<'_>],
        now: DateTime<Utc>,
    ) -> db::Result<Vec<Outcome>> {
        let outcomes = write_batch(conn, self, items, now).await?;
        outcomes.iter().for_each(|it| self.run.counts.add(it));
        if self.run.first_rejection.is_none() {
            self.note_rejection(items, &outcomes);
        }
        Ok(outcomes)
    }

    /// How many rows of the file were in it before, to the letter. They are counted as unchanged.
    pub fn repeated(&self) -> u64 {
        self.file.repeated
    }

    /// Keeps records aside that could not be read as such. Here every writer takes its locks in
    /// the order of contents, so do it apart from [`Passage::write`] where many write.
    pub async fn quarantine(
        &mut self,
        conn: &mut Connection,
        records: &[UnreadRecord<'_>],
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        quarantine::insert_unread(conn, &self.stream, self.run.id, records, now).await?;
        records.iter().for_each(|_| self.run.counts.add_unread());
        if let (None, [first, ..]) = (&self.run.first_rejection, records) {
            let (reason, payload) = ((None, first.reason), first.payload.as_bytes());
            self.run.first_rejection = Some(first_rejection(&self.stream.plan, reason, payload));
        }
        Ok(())
    }

    fn note_rejection(&mut self, items: &[Item<'_>], outcomes: &[Outcome]) {
        let mut rejected = items
            .iter()
            .zip(outcomes)
            .filter_map(|(item, it)| match it {
                Outcome::Quarantined { field, reason, .. } => Some((item, field, reason)),
                _ => None,
            });
        if let Some((item, field, reason)) = rejected.next() {
            let reason = (field.as_deref(), reason.as_str());
            let first = first_rejection(&self.stream.plan, reason, item.payload);
            self.run.first_rejection = Some(first);
        }
    }

    /// Learns what the columns of a file, of so many rows, look like.
    pub fn observe_columns(&mut self, columns: &[Column<'_>], rows: u64) {
        self.inference.observe_columns(columns, rows);
    }

    /// Notes how far the run has come.
    pub async fn advance(&self, conn: &mut Connection) -> db::Result<()> {
        runs::advance(conn, self.stream.tenant, &self.run).await
    }

    /// Notes that the run came to its end and what was learnt in it, and returns the drift that is
    /// new.
    ///
    /// The first structure of an object is its snapshot 1 and its baseline. A later one that
    /// leaves the newest snapshot becomes the next; the drift is its difference from the baseline,
    /// which moves by decisions only. A structure that was seen before makes no new snapshot, and a
    /// file without a row that was taken teaches no types.
    pub async fn finish(
        &self,
        conn: &mut Connection,
        now: DateTime<Utc>,
    ) -> db::Result<Option<DriftEvent>> {
        let (stream, run) = (&self.stream, &self.run);
        runs::finish(conn, stream.tenant, stream.object.key(), run, now).await?;
        record_inferred(conn, stream, run.counts, &self.inference, now).await
    }

    /// Notes that the run ended before its end.
    pub async fn fail(
        &self,
        conn: &mut Connection,
        error: &str,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        runs::fail(conn, self.stream.tenant, self.run.id, error, now).await
    }
}
