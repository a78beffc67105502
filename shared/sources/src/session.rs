//! A session with a source: what it has, and its records batch by batch.
//!
//! **Invariant:** who reads never interprets a state: it stores what a batch gives it and hands it
//! back. So keysets, page tokens, bulk locators, change-stream tokens and file offsets all fit.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;
use schema::source::SourceSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{SourceError, SourceErrorKind};

/// An open session. It is used for one question after the other, and closed after an error, as
/// nobody knows what is still under way on it.
pub trait Session: Send {
    /// Looks whether each stream that the config selects can be read as it says.
    ///
    /// # Errors
    /// One for each stream that cannot.
    fn check(&mut self) -> BoxFuture<'_, Result<(), Vec<SourceError>>>;

    /// What a stream looks like.
    ///
    /// # Errors
    /// Where it is not there or may not be read.
    fn discover<'a>(
        &'a mut self,
        stream: &'a str,
    ) -> BoxFuture<'a, Result<StreamDescription, SourceError>>;

    /// The next records of a stream: from the beginning where there is no state, else after what
    /// the state says, which is a [`Batch::state`] or a [`Checkpoint::state`].
    ///
    /// # Errors
    /// Where the source does not give them. The same state may be read from again.
    fn read<'a>(
        &'a mut self,
        stream: &'a str,
        state: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Batch, SourceError>>;

    /// What can be asked by record keys, after a read that ended in this state; none of a source
    /// that cannot be asked so. Without it only a source's own deletes are seen.
    fn lookup(&mut self) -> Option<&mut dyn KeyLookup> {
        None
    }

    /// Signs off. A failure is of no interest to anybody.
    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

/// A source that can be asked for single records by their keys ([`SourceRecord::key`], without the
/// [`Batch::key_shape`] before it).
pub trait KeyLookup: Send {
    /// Which of these keys the stream still has: their indexes.
    ///
    /// # Errors
    /// Where the source does not tell.
    fn list_existing<'a>(
        &'a mut self,
        stream: &'a str,
        state: &'a Value,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashSet<usize>, SourceError>>;

    /// The records with these keys, by the indexes of the keys: their payloads, or none of one
    /// that is too large to be brought with the others.
    ///
    /// # Errors
    /// Where the source does not give them.
    fn fetch<'a>(
        &'a mut self,
        stream: &'a str,
        state: &'a Value,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<usize, Option<String>>, SourceError>>;
}

/// What a source tells of a stream.
#[derive(Debug, Clone, Default)]
pub struct StreamDescription {
    /// Its fields and their types.
    pub schema: SourceSchema,
    /// Fields that tell its records apart: the candidates, the best one first.
    pub keys: Vec<Vec<String>>,
    /// Fields that rise when a record changes: the candidates, the best one first.
    pub cursors: Vec<String>,
}

/// Some records of a stream, and where to go on.
#[derive(Debug, Clone)]
pub struct Batch {
    /// In the order of the source.
    pub records: Vec<SourceRecord>,
    /// What stands before the key in each [`SourceRecord::key`]: keys of another shape can not be
    /// compared with these.
    pub key_shape: String,
    /// Whether the whole stream is being read, or what changed in it.
    pub scope: ReadScope,
    /// Where the next read goes on.
    pub state: Value,
    /// Whether no more follows.
    pub exhausted: bool,
    /// Where the next incremental sync may begin, once these records are stored; of a snapshot,
    /// once all that is gone is deleted too.
    pub checkpoint: Option<Checkpoint>,
    /// What the source left out, and why, in sentences.
    pub warnings: Vec<String>,
    /// Why a snapshot that is exhausted may lack records that the source has.
    pub incomplete: Option<Incomplete>,
}

/// Why a snapshot may lack records that the source has.
#[derive(Debug, Clone)]
pub struct Incomplete {
    /// What keeps them back.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// How much of a stream a read goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadScope {
    /// Everything: a record that does not come is not there, unless the snapshot is incomplete.
    Snapshot,
    /// What changed since a checkpoint.
    Changes,
}

/// Where an incremental read begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    /// For [`Session::read`].
    pub state: Value,
    /// The same for people: the value of a cursor, a token's time.
    pub cursor: Option<String>,
}

/// One record of a stream.
#[derive(Debug, Clone)]
pub struct SourceRecord {
    /// What tells it apart from the stream's others: [`Batch::key_shape`], then JSON.
    pub key: String,
    /// What the source says of it.
    pub body: RecordBody,
}

/// What a source says of a record.
#[derive(Debug, Clone)]
pub enum RecordBody {
    /// It is so: a JSON object.
    Upsert(String),
    /// It is gone.
    Delete,
    /// It has more bytes than may be brought.
    TooLarge {
        /// So many at most.
        limit: usize,
        /// Its key alone: a JSON object.
        key: String,
    },
}

/// Which streams a config selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// Its full name.
    pub name: String,
    /// The kind of entity that its records become: `account`.
    pub entity: String,
}

/// A stream that the config does not select.
pub(crate) fn unknown_stream(stream: &str) -> SourceError {
    let message = format!("`{stream}` is no longer in the connection's config");
    SourceError::new(SourceErrorKind::Schema, "/objects", message)
}
