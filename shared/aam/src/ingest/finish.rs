//! The end of a run: its row, and what its records say about the structure of their source.

use chrono::{DateTime, Utc};
use schema::RunId;
use schema::drift::DriftEvent;
use schema::source::SourceSchema;

use super::schema_versions::record_observed;
use super::{Counts, Stream};
use crate::db::runs::{FinishedRun, RunKind};
use crate::db::{self, Connection};
use crate::inference::{FieldCoverage, SchemaInference, evolve};
use mapping::{Demand, FieldUse};

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
/// which moves by decisions only. A structure that was seen before makes no new snapshot, and a
/// file without a row that was taken teaches no types.
pub async fn finish(
    conn: &mut Connection,
    stream: &Stream,
    run: &Run,
    counts: Counts,
    observation: &SchemaInference,
    now: DateTime<Utc>,
) -> db::Result<Option<DriftEvent>> {
    let finished = FinishedRun {
        id: run.id,
        object: stream.object.key(),
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
    let is_file = observation.coverage() == FieldCoverage::Header;
    // A file of which no row was taken may have been misread: its header may be no header.
    let is_doubtful = is_file && counts.quarantined == counts.rows_read;
    let seen = |latest: Option<&SourceSchema>| match latest {
        None if is_doubtful => None,
        None => Some(observation.schema()),
        Some(latest) if is_doubtful => names_alone(latest, observation),
        Some(latest) => Some(evolve(latest, observation)),
    };
    // The cells of a file are texts, whatever their looks.
    let used = |path: &str| match stream.plan.use_of(path) {
        used if is_file && used.demand == Demand::Unused => FieldUse {
            is_typed: false,
            ..used
        },
        used => used,
    };
    record_observed(conn, stream, &seen, &used, now).await
}

/// What the header of a doubtful file tells: that columns are gone, and others came, beside those
/// that stayed. It tells no types, and one that has little of what was known is believed in
/// nothing. Columns that are only added wait for the rows that have them.
fn names_alone(latest: &SourceSchema, observation: &SchemaInference) -> Option<SourceSchema> {
    let now = evolve(latest, &observation.names());
    let known = latest.fields.len();
    let stayed = latest
        .fields
        .keys()
        .filter(|it| now.fields.contains_key(*it));
    let stayed = stayed.count();
    (stayed < known && known <= 2 * stayed).then_some(now)
}
