//! The end of a run: its row, and what its records say about the structure of their source.

use chrono::{DateTime, Utc};
use schema::RunId;
use schema::drift::DriftEvent;
use schema::source::SourceSchema;

use super::learn::learn;
use super::{Counts, Stream};
use crate::db::runs::{FinishedRun, RunKind};
use crate::db::{self, Connection};
use crate::observe::{Observation, absorb};

/// A passage of records.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What brought the records.
    pub kind: RunKind,
    /// The file's name, where it was a file.
    pub file: Option<String>,
    /// How much was received.
    pub bytes: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
}

/// Notes the run and what was observed in it, and returns the drift that is new.
///
/// The first observation of an object is its snapshot 1 and its baseline. A later one that
/// leaves the newest snapshot becomes the next; the drift is its difference from the baseline,
/// which moves by decisions only. A structure that was seen before makes no new snapshot.
pub async fn finish(
    conn: &mut Connection,
    stream: &Stream,
    run: &Run,
    counts: Counts,
    observation: &Observation,
    now: DateTime<Utc>,
) -> db::Result<Option<DriftEvent>> {
    let finished = FinishedRun {
        id: run.id,
        connection: stream.connection,
        object: &stream.object,
        kind: run.kind,
        file: run.file.as_deref(),
        bytes: run.bytes,
        started_at: run.started_at,
        counts,
        warning: None,
    };
    db::runs::finish(conn, stream.tenant, &finished, now).await?;
    if observation.schema().fields.is_empty() {
        return Ok(None);
    }
    let seen = |latest: Option<&SourceSchema>| match latest {
        None => observation.schema(),
        Some(latest) => absorb(latest, observation),
    };
    learn(conn, stream, &seen, now).await
}
