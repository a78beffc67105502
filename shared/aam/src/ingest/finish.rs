//! The end of a run: its row, and what its records say about the structure of their source.

use chrono::{DateTime, Utc};
use schema::drift::{DriftEvent, DriftStatus};
use schema::source::SourceSchema;
use schema::{DriftId, RunId};

use super::{Counts, Stream};
use crate::db::runs::{FinishedRun, RunKind};
use crate::db::snapshots::{self, Snapshot};
use crate::db::{self, Connection, source_objects};
use crate::drift::diff;
use crate::fingerprint::structure_hash;
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
    };
    db::runs::finish(conn, stream.tenant, &finished, now).await?;
    let schema = observation.schema();
    if schema.fields.is_empty() {
        return Ok(None);
    }
    learn(conn, stream, observation, now).await
}

async fn learn(
    conn: &mut Connection,
    stream: &Stream,
    observation: &Observation,
    now: DateTime<Utc>,
) -> db::Result<Option<DriftEvent>> {
    let (tenant, connection, object) = (stream.tenant, stream.connection, &stream.object);
    let find = snapshots::find_latest_and_baseline;
    if let Some((latest, _)) = find(conn, tenant, connection, object).await?
        && next(&latest, observation).is_none()
    {
        return Ok(None);
    }
    // Only whoever holds the object numbers its snapshots, and numbers them after the newest.
    source_objects::lock(conn, tenant, connection, object).await?;
    let Some((latest, baseline)) = find(conn, tenant, connection, object).await? else {
        let first = snapshot(1, observation.schema());
        snapshots::insert(conn, tenant, (connection, object), &first, now).await?;
        source_objects::set_baseline(conn, tenant, connection, object, 1).await?;
        return Ok(None);
    };
    let Some(next) = next(&latest, observation) else {
        return Ok(None);
    };
    if snapshots::exists(conn, tenant, connection, object, &next.structure_hash).await? {
        return Ok(None);
    }
    snapshots::insert(conn, tenant, (connection, object), &next, now).await?;
    let Some(event) = event(stream, &baseline, &next, now) else {
        return Ok(None);
    };
    let new = db::drift_events::insert_once(conn, tenant, &event).await?;
    Ok(new.then_some(event))
}

/// The snapshot after `latest`, if what was observed leaves it.
fn next(latest: &Snapshot, observation: &Observation) -> Option<Snapshot> {
    let next = snapshot(latest.version + 1, absorb(&latest.schema, observation));
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
    now: DateTime<Utc>,
) -> Option<DriftEvent> {
    let changes = diff(&from.schema, &to.schema, &|path| stream.plan.use_of(path));
    let severity = changes.iter().map(|it| it.severity).max()?;
    Some(DriftEvent {
        id: DriftId(uuid::Uuid::now_v7()),
        connection_id: stream.connection,
        object: stream.object.clone(),
        from_version: from.version,
        to_version: to.version,
        changes,
        severity,
        status: DriftStatus::Open,
        created_at: now,
    })
}
