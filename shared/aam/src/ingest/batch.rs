//! One batch, in a constant number of statements.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use schema::RunId;

use super::contest::contest;
use super::decide::{Times, decide};
use super::prepare::{Prepared, QuarantinedItem, Read};
use super::recognise::{Recognised, recognise};
use super::{Item, Outcome, Passage, Run, Stream, quarantine, replayed_rows};
use crate::db::quarantine::{NewQuarantined, Superseded};
use crate::db::raw_records::{self, Known, NewRaw, RawBatch};
use crate::db::runs::RunKind;
use crate::db::{self, Connection};
use crate::db::{canonical, new_records};
use crate::inference::{FieldCoverage, SchemaInference};

/// Stores the items and says what became of each. Changes nothing if it fails and the caller
/// rolls back.
///
/// The structure of what was written or kept aside is learnt, where it is learnt from records.
pub(super) async fn write_batch(
    conn: &mut Connection,
    passage: &mut Passage,
    items: &[Item<'_>],
    now: DateTime<Utc>,
) -> db::Result<Vec<Outcome>> {
    let (stream, run) = (&passage.stream, &passage.run);
    let times = times(stream, run, now);
    let Recognised {
        mut read,
        same,
        known,
    } = recognise(conn, (stream, run), items, times).await?;
    let of = (run, stream.mapping_version);
    let holders = passage.file.contest(&mut read, (&same, &known), of);
    let again = replayed_rows::contest(run.kind, &mut read, &known);
    let place = (stream, run.id);
    let left = replayed_rows::set_aside(conn, place, &again.displaced, now).await?;
    let (prepared, rejected) = split(contest(read, &known));
    let stored = Stored::of(&known);
    let keyless = keyless(&known);
    let items_read = (prepared.as_slice(), &again.holders);
    let (mut outcomes, writes) = decide(known, stream.mapping_version, items_read, times);
    for it in &same {
        outcomes[it.index] = Some(Outcome::Unchanged);
    }
    let place = (stream, run.id, times);
    write(conn, place, (&prepared, &writes, &mut outcomes), stored).await?;
    note_keys(conn, stream, (&prepared, &outcomes), &keyless).await?;
    holders.note(conn, (stream, run.id)).await?;
    let rows = rejected.iter().map(new_quarantined).collect();
    quarantine::insert(conn, stream, run.id, rows, now).await?;
    let decided = (
        prepared.as_slice(),
        outcomes.as_slice(),
        rejected.as_slice(),
    );
    let settled = superseded((run.kind, run.id), items, decided);
    release(conn, stream, &settled).await?;

    if passage.inference.coverage() != FieldCoverage::Header {
        observe(
            &mut passage.inference,
            stream,
            &prepared,
            &writes,
            &rejected,
        );
    }
    passage.run.counts.add_left(left);
    Ok(join(outcomes, rejected))
}

/// What became of each item, those that were rejected in their places.
fn join(outcomes: Vec<Option<Outcome>>, rejected: Vec<QuarantinedItem<'_>>) -> Vec<Outcome> {
    let mut rejected = rejected.into_iter();
    let outcomes = outcomes.into_iter().map(|it| {
        it.unwrap_or_else(|| {
            let rejected = rejected.next();
            let rejected = rejected.expect("one for each that is not prepared");
            Outcome::Quarantined {
                field: rejected.reject.field,
                reason: rejected.reject.reason,
                collides: rejected.collides,
            }
        })
    });
    outcomes.collect()
}

/// What can be stored, in its place, and what cannot.
fn split(read: Vec<Option<Read<'_>>>) -> (Vec<Option<Prepared<'_>>>, Vec<QuarantinedItem<'_>>) {
    let mut rejected = Vec::new();
    let prepared = read.into_iter().map(|it| match it? {
        Ok(prepared) => Some(prepared),
        Err(reject) => {
            rejected.push(*reject);
            None
        }
    });
    (prepared.collect(), rejected)
}

/// Whether anything is stored of the records of a batch.
#[derive(Clone, Copy, PartialEq)]
enum Stored {
    Nothing,
    Some,
}

impl Stored {
    fn of(known: &[Known]) -> Stored {
        if known.is_empty() {
            Stored::Nothing
        } else {
            Stored::Some
        }
    }
}

/// Writes the raw records, then the canonical ones of those that were written: a concurrent
/// batch may have brought newer versions since `known`, and the rows stay locked from here on.
async fn write(
    conn: &mut Connection,
    (stream, run, times): (&Stream, RunId, Times),
    (prepared, writes, outcomes): (&[Option<Prepared<'_>>], &[usize], &mut [Option<Outcome>]),
    stored: Stored,
) -> db::Result<()> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut written: Vec<_> = writes
        .iter()
        .filter_map(|it| Some((*it, prepared[*it].as_ref()?)))
        .collect();
    let rows: Vec<_> = written.iter().map(|it| new_raw(it.1)).collect();
    let batch = RawBatch {
        object: stream.object.key(),
        run,
        mapping_version: stream.mapping_version,
        as_of: times.as_of,
        now: times.now,
    };
    if stored == Stored::Nothing && insert(conn, stream, (&batch, &rows), &written).await? {
        return Ok(());
    }
    let kept = raw_records::upsert(conn, stream.tenant, &batch, &rows).await?;
    if kept.len() < written.len() {
        let kept: HashSet<_> = kept.iter().map(String::as_str).collect();
        written.retain(|(index, item)| {
            let kept = kept.contains(item.source_id.as_str());
            if !kept {
                outcomes[*index] = Some(Outcome::Stale);
            }
            kept
        });
    }
    write_canonical(conn, stream, &written, times.now).await
}

/// Writes records of which nothing is stored, which takes a third less time than [`write()`]. Does
/// nothing and says no where that is not so any more, one of them is a delete, or no mapping says what
/// they become.
async fn insert(
    conn: &mut Connection,
    stream: &Stream,
    (batch, rows): (&RawBatch<'_>, &[NewRaw<'_>]),
    written: &[(usize, &Prepared<'_>)],
) -> db::Result<bool> {
    let entity = stream.plan.entity();
    if entity.is_unmapped() {
        return Ok(false);
    }
    let records = written
        .iter()
        .map(|(_, it)| Some((it.source_id.as_str(), it.record.as_ref()?)));
    let Some(records) = records.collect::<Option<Vec<_>>>() else {
        return Ok(false);
    };
    let place = (&stream.object, &**entity);
    new_records::insert(conn, stream.tenant, place, (batch, rows, &records)).await
}

async fn write_canonical(
    conn: &mut Connection,
    stream: &Stream,
    written: &[(usize, &Prepared<'_>)],
    now: DateTime<Utc>,
) -> db::Result<()> {
    let (tenant, object) = (stream.tenant, &stream.object);
    let entity = stream.plan.entity();
    if entity.is_unmapped() {
        return Ok(());
    }
    let mut upserts = Vec::with_capacity(written.len());
    let mut deletes = Vec::new();
    for (_, item) in written {
        match &item.record {
            Some(record) => upserts.push((item.source_id.as_str(), record)),
            None => deletes.push(item.source_id.as_str()),
        }
    }
    if !upserts.is_empty() {
        canonical::upsert(conn, tenant, (object, entity), &upserts, now).await?;
    }
    if !deletes.is_empty() {
        canonical::delete(conn, tenant, object.key(), entity, &deletes).await?;
    }
    Ok(())
}

/// The ids of records that are stored without the keys of their rows.
fn keyless(known: &[Known]) -> HashSet<String> {
    let keyless = known.iter().filter(|it| it.source_key.is_none());
    keyless.map(|it| it.source_id.clone()).collect()
}

/// A record that stays as it is may be among those that are stored without their keys.
async fn note_keys(
    conn: &mut Connection,
    stream: &Stream,
    (prepared, outcomes): (&[Option<Prepared<'_>>], &[Option<Outcome>]),
    keyless: &HashSet<String>,
) -> db::Result<()> {
    let stays = |it: &Option<Outcome>| matches!(it, Some(Outcome::Unchanged | Outcome::Stale));
    let (ids, keys): (Vec<_>, Vec<_>) = prepared
        .iter()
        .zip(outcomes)
        .filter(|it| stays(it.1))
        .filter_map(|it| it.0.as_ref())
        .filter(|it| keyless.contains(&it.source_id))
        .filter_map(|it| Some((it.source_id.as_str(), it.source_key?)))
        .unzip();
    if ids.is_empty() {
        return Ok(());
    }
    raw_records::set_keys(conn, stream.tenant, stream.object.key(), (&ids, &keys)).await
}

fn new_raw<'a>(item: &'a Prepared<'_>) -> NewRaw<'a> {
    NewRaw {
        source_id: &item.source_id,
        source_key: item.source_key,
        payload: item.payload,
        content_hash: &item.content_hash,
        version: item.version,
        occurred_at: item.occurred_at,
        origin: item.origin,
        line: item.line,
        deleted: item.record.is_none(),
    }
}

fn new_quarantined<'a>(rejected: &'a QuarantinedItem<'_>) -> NewQuarantined<'a> {
    NewQuarantined {
        content_hash: &rejected.content_hash,
        line: rejected.line,
        field: rejected.reject.field.as_deref(),
        reason: &rejected.reject.reason,
        payload: &rejected.payload,
        source_id: rejected.source_id.as_deref(),
        source_key: rejected.source_key,
        version: rejected.version,
        occurred_at: rejected.occurred_at,
        origin: rejected.origin,
        deleted: rejected.deleted,
    }
}

/// What a sync reads was so when it began.
fn times(stream: &Stream, run: &Run, now: DateTime<Utc>) -> Times {
    let comes = matches!(run.kind, RunKind::Upload | RunKind::Events);
    Times {
        as_of: (run.kind == RunKind::Sync).then_some(run.started_at),
        now,
        renews: (comes && stream.plan.is_unmapped()).then_some(run.id),
    }
}

/// What leaves the quarantine with this batch.
fn superseded<'a>(
    (kind, run): (RunKind, RunId),
    items: &[Item<'a>],
    (prepared, outcomes, rejected): (
        &'a [Option<Prepared<'_>>],
        &[Option<Outcome>],
        &'a [QuarantinedItem<'_>],
    ),
) -> Superseded<'a> {
    let mut settled = settle(kind, prepared, outcomes);
    if kind == RunKind::Upload {
        // Two rows of a file are not two versions of one: what it has in quarantine stays there.
        settled.of_run = Some(run);
    }
    // What is kept aside has a turn of its own in a replay, and may be newer than what is stored.
    if kind != RunKind::Replay {
        replace(&mut settled, prepared, outcomes, rejected);
        settled.source_keys = items.iter().filter_map(|it| it.source_key).collect();
        let rejected = rejected.iter().map(|it| it.content_hash.as_slice());
        settled.rejected = rejected.collect();
    }
    settled
}

/// What came and was not rejected is not, or no longer, in quarantine.
fn settle<'a>(
    kind: RunKind,
    prepared: &'a [Option<Prepared<'_>>],
    outcomes: &[Option<Outcome>],
) -> Superseded<'a> {
    let came = prepared
        .iter()
        .zip(outcomes)
        // What is stored is not in quarantine, but for what a replay took from there.
        .filter(|it| kind == RunKind::Replay || !matches!(it.1, Some(Outcome::Unchanged)))
        .filter_map(|it| it.0.as_ref());
    // An older version that a replay brings again stays stored.
    let older = prepared.iter().zip(outcomes);
    let older = older.filter(|it| kind == RunKind::Replay && matches!(it.1, Some(Outcome::Stale)));
    let older = older.filter_map(|it| it.0.as_ref());
    Superseded {
        hashes: came.map(|it| it.content_hash.as_slice()).collect(),
        older: older.map(|it| it.content_hash.as_slice()).collect(),
        ..Superseded::default()
    }
}

/// A record that was written takes the place of what is kept aside of it, unless that came later.
fn replace<'a>(
    settled: &mut Superseded<'a>,
    prepared: &'a [Option<Prepared<'_>>],
    outcomes: &[Option<Outcome>],
    rejected: &'a [QuarantinedItem<'_>],
) {
    // The last of each id.
    let mut written = HashMap::new();
    for (index, (item, outcome)) in prepared.iter().zip(outcomes).enumerate() {
        if let (Some(item), Some(Outcome::Accepted | Outcome::Deleted)) = (item, outcome) {
            written.insert(item.source_id.as_str(), (index, item.version));
        }
    }
    let places = outcomes.iter().enumerate().filter(|it| it.1.is_none());
    for ((index, _), rejected) in places.zip(rejected) {
        let id = rejected.source_id.as_deref();
        let last = id.and_then(|it| written.get(it));
        if last.is_none_or(|it| it.0 < index) {
            settled.rejected_since.push(&rejected.content_hash);
        }
    }
    for (id, (_, version)) in written {
        settled.source_ids.push(id);
        settled.versions.push(version);
    }
}

async fn release(
    conn: &mut Connection,
    stream: &Stream,
    settled: &Superseded<'_>,
) -> db::Result<()> {
    if settled.hashes.is_empty() && settled.source_keys.is_empty() {
        return Ok(());
    }
    db::quarantine::delete(conn, stream.tenant, stream.object.key(), settled).await
}

fn observe(
    inference: &mut SchemaInference,
    stream: &Stream,
    prepared: &[Option<Prepared<'_>>],
    writes: &[usize],
    rejected: &[QuarantinedItem<'_>],
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
        let _ = inference.observe_json(payload.as_bytes());
    }
}
