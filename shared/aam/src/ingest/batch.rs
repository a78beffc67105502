//! One batch, in a constant number of statements.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::decide::decide;
use super::prepare::{Prepared, Rejected, prepare};
use super::{Item, Outcome, Run, Stream};
use crate::db::canonical::{self, Origin};
use crate::db::quarantine::{NewQuarantined, Settled};
use crate::db::raw_records::{Batch, NewRaw};
use crate::db::runs::RunKind;
use crate::db::{self, Connection};
use crate::observe::{Coverage, Observation};

/// Stores the items and says what became of each. Changes nothing if it fails and the caller
/// rolls back.
///
/// The structure of what was written or kept aside is added to the observation, unless its
/// caller observes the columns of a file.
pub async fn batch(
    conn: &mut Connection,
    stream: &Stream,
    run: &Run,
    items: &[Item<'_>],
    observation: &mut Observation,
    now: DateTime<Utc>,
) -> db::Result<Vec<Outcome>> {
    let (prepared, rejected) = prepare_all(stream, items);
    let known = known(conn, stream, &prepared).await?;
    let (mut outcomes, writes) = decide(known, stream.mapping_version, &prepared, now);
    write(conn, stream, run, (&prepared, &writes, &mut outcomes), now).await?;
    quarantine(conn, stream, run, &rejected, now).await?;
    let mut settled = settle(&prepared, &outcomes);
    // What is kept aside has a turn of its own in a replay, and may be newer than what is stored.
    if run.kind != RunKind::Replay {
        replace(&mut settled, &prepared, &outcomes, &rejected);
    }
    release(conn, stream, &settled).await?;

    if observation.coverage() != Coverage::Header {
        observe(observation, stream, &prepared, &writes, &rejected);
    }
    let mut rejected = rejected.into_iter();
    let outcomes = outcomes.into_iter().map(|it| {
        it.unwrap_or_else(|| {
            let reject = rejected
                .next()
                .expect("one for each that is not prepared")
                .reject;
            Outcome::Quarantined {
                field: reject.field,
                reason: reject.reason,
            }
        })
    });
    Ok(outcomes.collect())
}

fn prepare_all<'a>(
    stream: &'a Stream,
    items: &[Item<'a>],
) -> (Vec<Option<Prepared<'a>>>, Vec<Rejected<'a>>) {
    let mut rejected = Vec::new();
    let prepared = items.iter().map(|it| match prepare(&stream.plan, it) {
        Ok(prepared) => Some(prepared),
        Err(reject) => {
            rejected.push(*reject);
            None
        }
    });
    (prepared.collect(), rejected)
}

async fn known(
    conn: &mut Connection,
    stream: &Stream,
    prepared: &[Option<Prepared<'_>>],
) -> db::Result<Vec<db::raw_records::Known>> {
    let ids: Vec<_> = prepared
        .iter()
        .flatten()
        .map(|it| it.source_id.as_str())
        .collect();
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let (connection, object) = (stream.connection, &stream.object);
    db::raw_records::list_known(conn, stream.tenant, connection, object, &ids).await
}

/// Writes the raw records, then the canonical ones of those that were written: a concurrent
/// batch may have brought newer versions since `known`, and the rows stay locked from here on.
async fn write(
    conn: &mut Connection,
    stream: &Stream,
    run: &Run,
    (prepared, writes, outcomes): (&[Option<Prepared<'_>>], &[usize], &mut [Option<Outcome>]),
    now: DateTime<Utc>,
) -> db::Result<()> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut written: Vec<_> = writes
        .iter()
        .filter_map(|it| Some((*it, prepared[*it].as_ref()?)))
        .collect();
    let rows: Vec<_> = written.iter().map(|it| new_raw(it.1)).collect();
    let batch = Batch {
        connection: stream.connection,
        object: &stream.object,
        run: run.id,
        mapping_version: stream.mapping_version,
        now,
    };
    let kept = db::raw_records::upsert(conn, stream.tenant, &batch, &rows).await?;
    if kept.len() < written.len() {
        let kept: std::collections::HashSet<_> = kept.iter().map(String::as_str).collect();
        written.retain(|(index, item)| {
            let kept = kept.contains(item.source_id.as_str());
            if !kept {
                outcomes[*index] = Some(Outcome::Stale);
            }
            kept
        });
    }
    write_canonical(conn, stream, &written, now).await
}

async fn write_canonical(
    conn: &mut Connection,
    stream: &Stream,
    written: &[(usize, &Prepared<'_>)],
    now: DateTime<Utc>,
) -> db::Result<()> {
    let origin = Origin {
        connection: stream.connection,
        object: &stream.object,
        system: &stream.system,
    };
    let entity = stream.plan.entity();
    let mut upserts = Vec::with_capacity(written.len());
    let mut deletes = Vec::new();
    for (_, item) in written {
        match &item.record {
            Some(record) => upserts.push((item.source_id.as_str(), record)),
            None => deletes.push(item.source_id.as_str()),
        }
    }
    if !upserts.is_empty() {
        canonical::upsert(conn, stream.tenant, (&origin, entity), &upserts, now).await?;
    }
    if !deletes.is_empty() {
        canonical::delete(conn, stream.tenant, &origin, entity, &deletes).await?;
    }
    Ok(())
}

fn new_raw<'a>(item: &'a Prepared<'_>) -> NewRaw<'a> {
    NewRaw {
        source_id: &item.source_id,
        payload: item.payload,
        content_hash: &item.content_hash,
        version: item.version,
        deleted: item.record.is_none(),
    }
}

async fn quarantine(
    conn: &mut Connection,
    stream: &Stream,
    run: &Run,
    rejected: &[Rejected<'_>],
    now: DateTime<Utc>,
) -> db::Result<()> {
    if rejected.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<_> = rejected
        .iter()
        .map(|it| NewQuarantined {
            content_hash: &it.content_hash,
            line: it.line,
            field: it.reject.field.as_deref(),
            reason: &it.reject.reason,
            payload: &it.payload,
            source_id: it.source_id.as_deref(),
            version: it.version,
        })
        .collect();
    rows.sort_by_key(|it| it.content_hash);
    rows.dedup_by_key(|it| it.content_hash);
    let place = (stream.connection, stream.object.as_str(), run.id);
    db::quarantine::upsert(conn, stream.tenant, place, &rows, now).await
}

/// What came and was not rejected is not, or no longer, in quarantine.
fn settle<'a>(prepared: &'a [Option<Prepared<'_>>], outcomes: &[Option<Outcome>]) -> Settled<'a> {
    let came = prepared
        .iter()
        .zip(outcomes)
        .filter(|it| !matches!(it.1, Some(Outcome::Unchanged)))
        .filter_map(|it| it.0.as_ref());
    Settled {
        hashes: came.map(|it| it.content_hash.as_slice()).collect(),
        ..Settled::default()
    }
}

/// A record that was written takes the place of what is kept aside of it, unless that came later.
fn replace<'a>(
    settled: &mut Settled<'a>,
    prepared: &'a [Option<Prepared<'_>>],
    outcomes: &[Option<Outcome>],
    rejected: &'a [Rejected<'_>],
) {
    // The last of each id.
    let mut written = HashMap::new();
    for (index, (item, outcome)) in prepared.iter().zip(outcomes).enumerate() {
        if let (Some(item), Some(Outcome::Accepted | Outcome::Deleted)) = (item, outcome) {
            written.insert(item.source_id.as_str(), (index, item.version));
        }
    }
    let places = prepared.iter().enumerate().filter(|it| it.1.is_none());
    for ((index, _), rejected) in places.zip(rejected) {
        let id = rejected.source_id.as_deref();
        let last = id.and_then(|it| written.get(it));
        if last.is_none_or(|it| it.0 < index) {
            settled.standing.push(&rejected.content_hash);
        }
    }
    for (id, (_, version)) in written {
        settled.source_ids.push(id);
        settled.versions.push(version);
    }
}

async fn release(conn: &mut Connection, stream: &Stream, settled: &Settled<'_>) -> db::Result<()> {
    if settled.hashes.is_empty() {
        return Ok(());
    }
    let (connection, object) = (stream.connection, &stream.object);
    db::quarantine::delete(conn, stream.tenant, connection, object, settled).await
}

fn observe(
    observation: &mut Observation,
    stream: &Stream,
    prepared: &[Option<Prepared<'_>>],
    writes: &[usize],
    rejected: &[Rejected<'_>],
) {
    let written = writes
        .iter()
        .filter_map(|it| prepared[*it].as_ref())
        .filter(|it| it.record.is_some())
        .map(|it| it.payload);
    // A value that does not fit is what drift looks like. Broken JSON is not, and a key with
    // NUL cannot be stored in a snapshot either.
    let misfit = rejected
        .iter()
        .filter(|it| {
            let field = it.reject.field.as_deref();
            field.is_some_and(|it| stream.plan.entity().field(it).is_some())
        })
        .map(|it| &*it.payload)
        .filter(|it| !it.contains(r"\u0000"));
    for payload in written.chain(misfit) {
        // An error is in the middle of a record that was rejected for it.
        let _ = observation.observe_json(payload.as_bytes());
    }
}
