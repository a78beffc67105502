//! Records into the database: raw as received, canonical as mapped, quarantined with a reason.
//!
//! **Invariant:** the same records have the same effect however often and in however many
//! batches they come. A record's place is (tenant, connection, object, source id); the same
//! content changes nothing there, an older version neither. What cannot be stored is kept aside
//! and never keeps its neighbours back.
//!
//! A payload leaves the quarantine when it comes again, in a replay or from the source, and is
//! no longer rejected; or when its record comes from the source, no older than it, and is
//! written; or when its row comes in another shape. A replay does not do the latter two: it gives
//! each payload a turn of its own.
//!
//! A replay makes of what is stored what would be there had the mapping been in force all along: the
//! same content follows it, whatever versions it reads, and of two contents with one id and without
//! versions the one that came with the later run counts.
//!
//! What a sync reads is how its source is: it is never stale, unless something newer came while
//! it was on its way.

mod batch;
mod contest;
mod decide;
mod file_rows;
mod passage;
mod plan_cache;
mod prepare;
mod quarantine;
mod recognise;
mod rejection;
mod replayed_rows;
mod row;
mod schema_versions;
mod stream;

use chrono::{DateTime, Utc};
use schema::RunId;

pub use passage::Passage;
pub use prepare::COLLISION;
pub(crate) use prepare::content_hash;
pub(crate) use prepare::{collision_in_file, read_record};
pub use quarantine::UnreadRecord;
pub(crate) use recognise::guess_id;
pub(crate) use row::{Meeting, Row};
pub use schema_versions::record_declared;
pub use stream::{OpenError, Stream};

pub use crate::db::runs::{Counts, Run, RunKind};

/// Most items that one [`Passage::write`] should have.
pub const MAX_ITEMS: usize = 1000;

/// One record as it came.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// JSON text.
    pub payload: &'a [u8],
    /// Where in its file it stood.
    pub line: Option<u64>,
    /// When it happened at the source. The record's version, where the record has none itself.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The run that brought it, where that is an earlier one: in a replay.
    pub origin: Option<RunId>,
    /// What happened to it.
    pub op: Op,
    /// The record's id, for a delete whose payload does not have it.
    pub source_id: Option<&'a str>,
    /// What tells its row apart at the source, where that is known: a JSON array of texts, behind a
    /// tag. A record is one row's, as long as it is not freed by [`crate::db::raw_records::release`].
    pub source_key: Option<&'a str>,
}

/// What happened to a record at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// It was created or changed.
    Upsert,
    /// It was deleted.
    Delete,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Accepted,
    /// The same is stored already.
    Unchanged,
    /// A newer version is stored.
    Stale,
    /// Its record was taken out.
    Deleted,
    /// It is kept aside.
    Quarantined {
        /// The field that is wrong; none where the whole record is.
        field: Option<String>,
        /// An error, as `application/problem+json`.
        reason: String,
        /// Whether nothing is, but that its record is another row's.
        collides: bool,
    },
}

impl Counts {
    /// Counts one record.
    pub fn add(&mut self, outcome: &Outcome) {
        self.rows_read += 1;
        let collides = matches!(outcome, Outcome::Quarantined { collides: true, .. });
        self.collisions += u64::from(collides);
        *match outcome {
            Outcome::Accepted => &mut self.written,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Stale => &mut self.stale,
            Outcome::Deleted => &mut self.deleted,
            Outcome::Quarantined { .. } => &mut self.quarantined,
        } += 1;
    }
}
