//! The events of one request into the database, in one transaction.
//!
//! Locks are taken in one order (event ids, then object by object, the audit chain last), so two
//! requests never wait for each other.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use aam::db::Connection;
use aam::db::event_ids::EventId;
use aam::db::runs::RunKind;
use aam::inference::{FieldCoverage, SchemaInference};
use aam::ingest::{self, Counts, Item, OpenError, Outcome, Run, Stream};
use chrono::{DateTime, Utc};
use platform::audit;
use platform::{Caller, Platform, Problem, Result, db, metrics};
use schema::source::ObjectKey;
use schema::{ConnectionId, Error, RunId, TenantId};
use serde_json::json;
use uuid::Uuid;

use crate::event::{Event, Rejected};

/// The result of one event.
#[derive(Debug)]
pub(crate) enum Fate {
    Rejected(String),
    Duplicate,
    Taken(Outcome),
}

/// The indices of a request's events, by source object.
type Groups<'a> = BTreeMap<ObjectKey<'a>, Vec<usize>>;

/// A run that is over, for the audit log.
struct Done {
    run: RunId,
    connection: ConnectionId,
    object: String,
    counts: Counts,
}

/// Takes the events, in their order, and says what became of each.
pub(crate) async fn take(
    platform: &Platform,
    caller: &Caller,
    events: &[Result<Event<'_>, Rejected>],
    now: DateTime<Utc>,
) -> Result<Vec<Fate>> {
    let tenant = caller.tenant;
    let mut tx = db::begin(&platform.db, tenant).await?;
    let known = lock_connections(&mut tx, tenant, events).await?;
    let mut fates: Vec<_> = events.iter().map(|it| refused(it, &known)).collect();
    let mut runs = Vec::new();
    loop {
        let open = open(&fates);
        if open.is_empty() {
            break;
        }
        let repeats = mark_duplicates(&mut tx, tenant, events, &mut fates, now).await?;
        let round = Round {
            tenant,
            events,
            repeats,
            now,
        };
        for indices in groups(events, &open).into_values() {
            runs.push(round.object(&mut tx, &indices, &mut fates).await?);
        }
        round.free_quarantined(&mut tx, &open, &fates).await?;
    }
    runs.retain(|it| it.counts.changed());
    for run in &runs {
        audit::append(&mut tx, tenant, &entry(caller, run)).await?;
    }
    // A crash may forget that nothing was new, but not that it was so at a later time.
    let timed = events.iter().flatten().any(|it| it.occurred_at.is_some());
    if runs.is_empty() && !timed {
        db::commit_async(tx).await?;
    } else {
        tx.commit().await?;
    }
    let fates = fates.into_iter();
    Ok(fates
        .map(|it| it.expect("each event was refused, a duplicate, or in a group"))
        .collect())
}

async fn lock_connections(
    conn: &mut Connection,
    tenant: TenantId,
    events: &[Result<Event<'_>, Rejected>],
) -> Result<HashSet<ConnectionId>> {
    let mut ids: Vec<_> = events
        .iter()
        .flatten()
        .map(|it| it.object.connection)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let known = aam::db::connections::lock_for_ingest(conn, tenant, &ids).await?;
    Ok(known.into_iter().collect())
}

fn refused(event: &Result<Event<'_>, Rejected>, known: &HashSet<ConnectionId>) -> Option<Fate> {
    match event {
        Err(rejected) => Some(Fate::Rejected(rejected.reason.clone())),
        Ok(event) if !known.contains(&event.object.connection) => {
            Some(Fate::Rejected("connection not found".to_owned()))
        }
        Ok(_) => None,
    }
}

/// The events of which nothing is known yet.
fn open(fates: &[Option<Fate>]) -> Vec<usize> {
    (0..fates.len()).filter(|it| fates[*it].is_none()).collect()
}

/// What tells an event from all others of its tenant.
type EventKey<'a> = (ConnectionId, &'a str, &'a str);

fn key<'a>(event: &'a Result<Event<'_>, Rejected>) -> Option<EventKey<'a>> {
    let event = event.as_ref().ok()?;
    Some((event.object.connection, &event.source, event.id.as_deref()?))
}

/// Of events with one id, the first counts, of all requests together. Says which events repeat an
/// earlier one of this request, whose own outcome is not known yet.
async fn mark_duplicates(
    conn: &mut Connection,
    tenant: TenantId,
    events: &[Result<Event<'_>, Rejected>],
    fates: &mut [Option<Fate>],
    now: DateTime<Utc>,
) -> Result<HashMap<usize, usize>> {
    let open = open(fates);
    let mut keys: Vec<_> = open.iter().filter_map(|it| key(&events[*it])).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    keys.sort_unstable();
    keys.dedup();
    let fresh = aam::db::event_ids::insert_once(conn, tenant, &keys, now).await?;
    let fresh: HashSet<_> = fresh.iter().map(EventId::key).collect();
    let (mut firsts, mut repeats) = (HashMap::new(), HashMap::new());
    for index in open {
        let Some(key) = key(&events[index]) else {
            continue;
        };
        match firsts.entry(key) {
            Entry::Occupied(first) => {
                repeats.insert(index, *first.get());
            }
            Entry::Vacant(first) => {
                first.insert(index);
            }
        }
        if !fresh.contains(&key) {
            fates[index] = Some(Fate::Duplicate);
        }
    }
    Ok(repeats)
}

fn groups<'a>(events: &'a [Result<Event<'_>, Rejected>], indices: &[usize]) -> Groups<'a> {
    let mut groups = Groups::new();
    for index in indices {
        let Ok(event) = &events[*index] else { continue };
        groups.entry(event.object.key()).or_default().push(*index);
    }
    groups
}

/// What the objects of a request share. An event that repeats one that is quarantined has a round
/// of its own.
struct Round<'a> {
    tenant: TenantId,
    events: &'a [Result<Event<'a>, Rejected>],
    repeats: HashMap<usize, usize>,
    now: DateTime<Utc>,
}

impl Round<'_> {
    /// The events of one object: one run.
    async fn object(
        &self,
        conn: &mut Connection,
        indices: &[usize],
        fates: &mut [Option<Fate>],
    ) -> Result<Done> {
        let now = self.now;
        let events: Vec<_> = indices
            .iter()
            .filter_map(|it| Some((*it, self.events[*it].as_ref().ok()?)))
            .collect();
        let (_, first) = events.first().expect("a group has at least one event");
        let stream = Stream::open(conn, self.tenant, &first.object, now)
            .await
            .map_err(unopened)?;

        let mut counts = Counts::default();
        let mut fresh = Vec::with_capacity(events.len());
        for (index, event) in &events {
            if fates[*index].is_some() {
                counts.add_duplicate();
            } else if !self.repeats.contains_key(index) {
                fresh.push((*index, item(event)));
            }
        }
        let run = run(events.iter().map(|it| it.1), now);
        let items: Vec<_> = fresh.iter().map(|it| it.1).collect();
        let mut observation = SchemaInference::new(FieldCoverage::Partial);
        let outcomes =
            ingest::write_batch(conn, &stream, &run, &items, &mut observation, now).await?;
        for ((index, _), outcome) in fresh.iter().zip(outcomes) {
            counts.add(&outcome);
            fates[*index] = Some(Fate::Taken(outcome));
        }
        for index in indices {
            if self.is_repeated(*index, fates) {
                fates[*index] = Some(Fate::Duplicate);
                counts.add_duplicate();
            }
        }
        let drift = ingest::finish(conn, &stream, &run, counts, &observation, now).await?;
        metrics::count("DriftOpened", usize::from(drift.is_some()));
        if let Some(drift) = drift {
            let ObjectKey { connection, name } = first.object.key();
            tracing::info!(%connection, object = name, severity = ?drift.severity, "schema drift was detected");
        }
        Ok(Done {
            run: run.id,
            connection: stream.object.connection,
            object: stream.object.name,
            counts,
        })
    }
}

impl Round<'_> {
    /// Whether an event of nothing known repeats one that counts.
    fn is_repeated(&self, index: usize, fates: &[Option<Fate>]) -> bool {
        let Some(first) = self.repeats.get(&index) else {
            return false;
        };
        let is_void = matches!(&fates[*first], Some(Fate::Taken(it)) if is_quarantined(it));
        fates[index].is_none() && !is_void
    }

    /// Forgets the ids of events that were quarantined: the corrected ones will have them.
    async fn free_quarantined(
        &self,
        conn: &mut Connection,
        round: &[usize],
        fates: &[Option<Fate>],
    ) -> Result<()> {
        let void =
            |it: &&usize| matches!(&fates[**it], Some(Fate::Taken(it)) if is_quarantined(it));
        let ids: Vec<_> = round.iter().filter(void).collect();
        let ids: Vec<_> = ids
            .into_iter()
            .filter_map(|it| key(&self.events[*it]))
            .collect();
        if !ids.is_empty() {
            aam::db::event_ids::delete(conn, self.tenant, &ids).await?;
        }
        Ok(())
    }
}

fn unopened(error: OpenError) -> Problem {
    match error {
        OpenError::Database(error) => error.into(),
        error @ OpenError::Mapping { .. } => Error::Internal(error.into()).into(),
    }
}

/// The run of some events of one object.
fn run<'a>(events: impl Iterator<Item = &'a Event<'a>>, now: DateTime<Utc>) -> Run {
    Run {
        id: RunId(Uuid::now_v7()),
        kind: RunKind::Events,
        file: None,
        bytes: events.map(|it| it.data.len() as u64).sum(),
        started_at: now,
    }
}

fn is_quarantined(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Quarantined { .. })
}

fn item<'a>(event: &Event<'a>) -> Item<'a> {
    Item {
        payload: event.data,
        line: None,
        occurred_at: event.occurred_at,
        op: event.op,
        source_id: None,
        source_key: None,
    }
}

fn entry(caller: &Caller, done: &Done) -> audit::Entry {
    let object = format!("connection:{}", done.connection);
    audit::Entry::new(caller, "events.ingest", object).after(json!({
        "run": done.run,
        "object": done.object,
        "written": done.counts.written,
        "deleted": done.counts.deleted,
        "quarantined": done.counts.quarantined,
    }))
}
