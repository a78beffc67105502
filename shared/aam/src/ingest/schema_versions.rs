//! Structures over time: snapshots, and the drift from the one that the mapping was made for.

use chrono::{DateTime, Utc};
use schema::DriftId;
use schema::drift::{DriftEvent, DriftStatus};
use schema::source::SourceSchema;

use super::{Counts, Stream};
use crate::db::snapshots::{self, Snapshot};
use crate::db::{self, Connection, source_objects};
use mapping::{Demand, FieldUse};

use crate::drift::diff;
use crate::fingerprint::structure_hash;
use crate::inference::{FieldCoverage, SchemaInference, evolve};

/// What an object's structure is now, given what it was; none where nothing is learnt of it.
type Seen<'a> = &'a (dyn Fn(Option<&SourceSchema>) -> Option<SourceSchema> + Sync);

/// What hangs on the field at a path.
type Used<'a> = &'a (dyn Fn(&str) -> FieldUse + Sync);

/// Notes the structure that the source itself declares, and returns the drift that is new.
///
/// Snapshots and drift are as [`Passage::finish`](super::Passage::finish) has them.
pub async fn record_declared(
    conn: &mut Connection,
    stream: &Stream,
    declared: &SourceSchema,
    now: DateTime<Utc>,
) -> db::Result<Option<DriftEvent>> {
    let used = |path: &str| stream.plan.use_of(path);
    record_observed(conn, stream, &|_| Some(declared.clone()), &used, now).await
}

/// Notes what the records of a run look like, and returns the drift that is new.
///
/// Snapshots and drift are as [`Passage::finish`](super::Passage::finish) has them.
pub(super) async fn record_inferred(
    conn: &mut Connection,
    stream: &Stream,
    counts: Counts,
    inference: &SchemaInference,
    now: DateTime<Utc>,
) -> db::Result<Option<DriftEvent>> {
    if inference.schema().fields.is_empty() {
        return Ok(None);
    }
    let is_file = inference.coverage() == FieldCoverage::Header;
    // A file of which no row was taken may have been misread: its header may be no header.
    let is_doubtful = is_file && counts.quarantined == counts.rows_read;
    let seen = |latest: Option<&SourceSchema>| match latest {
        None if is_doubtful => None,
        None => Some(inference.schema()),
        Some(latest) if is_doubtful => names_alone(latest, inference),
        Some(latest) => Some(evolve(latest, inference)),
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
fn names_alone(latest: &SourceSchema, inference: &SchemaInference) -> Option<SourceSchema> {
    let now = evolve(latest, &inference.names());
    let known = latest.fields.len();
    let stayed = latest
        .fields
        .keys()
        .filter(|it| now.fields.contains_key(*it));
    let stayed = stayed.count();
    (stayed < known && known <= 2 * stayed).then_some(now)
}

/// Adds a snapshot where what is seen leaves the newest one, and notes the drift from the
/// baseline.
async fn record_observed(
    conn: &mut Connection,
    stream: &Stream,
    seen: Seen<'_>,
    used: Used<'_>,
    now: DateTime<Utc>,
) -> db::Result<Option<DriftEvent>> {
    let (tenant, object) = (stream.tenant, stream.object.key());
    let find = snapshots::find_latest_and_baseline;
    if let Some((latest, _)) = find(conn, tenant, object).await?
        && next(&latest, seen).is_none()
    {
        return Ok(None);
    }
    // Only whoever holds the object numbers its snapshots, and numbers them after the newest.
    source_objects::lock(conn, tenant, object).await?;
    let Some((latest, baseline)) = find(conn, tenant, object).await? else {
        let Some(schema) = seen(None) else {
            return Ok(None);
        };
        let first = snapshot(1, schema);
        snapshots::insert(conn, tenant, object, &first, now).await?;
        source_objects::set_baseline(conn, tenant, object, 1).await?;
        return Ok(None);
    };
    let Some(next) = next(&latest, seen) else {
        return Ok(None);
    };
    if snapshots::exists(conn, tenant, object, &next.structure_hash).await? {
        return Ok(None);
    }
    snapshots::insert(conn, tenant, object, &next, now).await?;
    let Some(event) = event(stream, &baseline, &next, used, now) else {
        return Ok(None);
    };
    let new = db::drift_events::insert_once(conn, tenant, &event).await?;
    if new {
        let (connection, object, severity) = (object.connection, object.name, event.severity);
        tracing::info!(%connection, object, ?severity, "the source drifted");
    }
    Ok(new.then_some(event))
}

/// The snapshot after `latest`, if what is seen leaves it.
fn next(latest: &Snapshot, seen: Seen<'_>) -> Option<Snapshot> {
    let next = snapshot(latest.version + 1, seen(Some(&latest.schema))?);
    (next.structure_hash != latest.structure_hash).then_some(next)
}

fn snapshot(version: i32, schema: SourceSchema) -> Snapshot {
    Snapshot {
        version,
        structure_hash: structure_hash(&schema),
        schema: schema.into(),
    }
}

fn event(
    stream: &Stream,
    from: &Snapshot,
    to: &Snapshot,
    used: Used<'_>,
    now: DateTime<Utc>,
) -> Option<DriftEvent> {
    let changes = diff(&from.schema, &to.schema, used);
    let severity = changes.iter().map(|it| it.severity).max()?;
    Some(DriftEvent {
        id: DriftId(uuid::Uuid::now_v7()),
        connection_id: stream.object.connection,
        object: stream.object.name.clone(),
        from_version: from.version,
        to_version: to.version,
        changes,
        severity,
        status: DriftStatus::Open,
        created_at: now,
    })
}
