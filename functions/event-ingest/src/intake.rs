//! The events of one request into the database, in one transaction.
//!
//! Locks are taken in one order (event ids, then object by object, the audit chain last), so two
//! requests never wait for each other.

use std::collections::{BTreeMap, HashSet};

use aam::db::Connection;
use aam::db::runs::RunKind;
use aam::ingest::{self, Counts, Item, Outcome, Run};
use aam::observe::{Coverage, Observation};
use chrono::{DateTime, SubsecRound, Utc};
use platform::audit::{self, Entry};
use platform::{Caller, Result, db, metrics};
use schema::{ConnectionId, RunId, TenantId};
use serde_json::json;
use uuid::Uuid;

use crate::State;
use crate::event::{Event, Rejected};

/// What became of one event.
#[derive(Debug)]
pub(crate) enum Fate {
    Rejected(String),
    Duplicate,
    Taken(Outcome),
}

/// The indices of a request's events, by source object.
type Groups = BTreeMap<(ConnectionId, String), Vec<usize>>;

/// A run that is over, for the audit log.
struct Done {
    run: RunId,
    connection: ConnectionId,
    object: String,
    counts: Counts,
}

/// Takes the events, in their order, and says what became of each.
pub(crate) async fn take(
    state: &State,
    caller: &Caller,
    events: &[Result<Event<'_>, Rejected>],
) -> Result<Vec<Fate>> {
    let now = Utc::now().trunc_subsecs(6);
    let tenant = caller.tenant;
    let mut tx = db::begin(&state.platform.db, tenant).await?;
    let known = lock_connections(&mut tx, tenant, events).await?;
    let mut fates: Vec<_> = events.iter().map(|it| refused(it, &known)).collect();
    mark_duplicates(&mut tx, tenant, events, &mut fates, now).await?;

    let mut runs = Vec::new();
    for (place, indices) in groups(events, &fates) {
        let stream = Take {
            state,
            tenant,
            events,
            now,
        };
        runs.push(stream.object(&mut tx, place, &indices, &mut fates).await?);
    }
    runs.retain(|it| it.counts.changed());
    for run in &runs {
        audit::append(&mut tx, tenant, &entry(caller, run)).await?;
    }
    // A crash may forget that nothing was new, but not that it was so at a later time.
    let timed = events.iter().flatten().any(|it| it.occurred_at.is_some());
    if runs.is_empty() && !timed {
        db::commit_unsynced(tx).await?;
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
    let mut ids: Vec<_> = events.iter().flatten().map(|it| it.connection).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = aam::db::connections::lock_for_ingest(conn, tenant, &ids).await?;
    Ok(known.into_iter().collect())
}

fn refused(event: &Result<Event<'_>, Rejected>, known: &HashSet<ConnectionId>) -> Option<Fate> {
    match event {
        Err(rejected) => Some(Fate::Rejected(rejected.reason.clone())),
        Ok(event) if !known.contains(&event.connection) => {
            Some(Fate::Rejected("connection not found".to_owned()))
        }
        Ok(_) => None,
    }
}

/// Of events with one id, the first counts, of all requests together.
async fn mark_duplicates(
    conn: &mut Connection,
    tenant: TenantId,
    events: &[Result<Event<'_>, Rejected>],
    fates: &mut [Option<Fate>],
    now: DateTime<Utc>,
) -> Result<()> {
    let id = |index: usize| {
        let event = events[index].as_ref().ok()?;
        Some((event.connection, event.id.as_deref()?))
    };
    let open: Vec<_> = (0..events.len())
        .filter(|it| fates[*it].is_none())
        .collect();
    let mut ids: Vec<_> = open.iter().filter_map(|it| id(*it)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    let fresh = aam::db::event_ids::insert_once(conn, tenant, &ids, now).await?;
    let mut fresh: HashSet<_> = fresh.iter().map(|it| (it.0, it.1.as_str())).collect();
    for index in open {
        if id(index).is_some_and(|it| !fresh.remove(&it)) {
            fates[index] = Some(Fate::Duplicate);
        }
    }
    Ok(())
}

fn groups(events: &[Result<Event<'_>, Rejected>], fates: &[Option<Fate>]) -> Groups {
    let mut groups = Groups::new();
    for (index, event) in events.iter().enumerate() {
        let Ok(event) = event else { continue };
        if !matches!(fates[index], Some(Fate::Rejected(_))) {
            let place = (event.connection, event.object());
            groups.entry(place).or_default().push(index);
        }
    }
    groups
}

/// What the objects of a request share.
struct Take<'a> {
    state: &'a State,
    tenant: TenantId,
    events: &'a [Result<Event<'a>, Rejected>],
    now: DateTime<Utc>,
}

impl Take<'_> {
    /// The events of one object: one run.
    async fn object(
        &self,
        conn: &mut Connection,
        (connection, object): (ConnectionId, String),
        indices: &[usize],
        fates: &mut [Option<Fate>],
    ) -> Result<Done> {
        let now = self.now;
        let events: Vec<_> = indices
            .iter()
            .filter_map(|it| Some((*it, self.events[*it].as_ref().ok()?)))
            .collect();
        let (_, first) = events.first().expect("a group has at least one event");
        let stream = self
            .state
            .plans
            .stream(conn, self.tenant, first, now)
            .await?;

        let mut counts = Counts::default();
        let mut fresh = Vec::with_capacity(events.len());
        for (index, event) in &events {
            match fates[*index] {
                None => fresh.push((*index, item(event))),
                Some(_) => counts.add_duplicate(),
            }
        }
        let run = Run {
            id: RunId(Uuid::now_v7()),
            kind: RunKind::Events,
            file: None,
            bytes: events.iter().map(|it| it.1.data.len() as u64).sum(),
            started_at: now,
        };
        let items: Vec<_> = fresh.iter().map(|it| it.1).collect();
        let mut observation = Observation::new(Coverage::Partial);
        let outcomes = ingest::batch(conn, &stream, &run, &items, &mut observation, now).await?;
        for ((index, _), outcome) in fresh.iter().zip(outcomes) {
            counts.add(&outcome);
            fates[*index] = Some(Fate::Taken(outcome));
        }
        let drift = ingest::finish(conn, &stream, &run, counts, &observation, now).await?;
        metrics::count("DriftOpened", usize::from(drift.is_some()));
        if let Some(drift) = drift {
            tracing::info!(%connection, object, severity = ?drift.severity, "the source drifted");
        }
        Ok(Done {
            run: run.id,
            connection,
            object,
            counts,
        })
    }
}

fn item<'a>(event: &Event<'a>) -> Item<'a> {
    Item {
        payload: event.data,
        line: None,
        occurred_at: event.occurred_at,
        op: event.op,
        source_id: None,
    }
}

fn entry(caller: &Caller, done: &Done) -> Entry {
    let object = format!("connection:{}", done.connection);
    Entry::new(caller, "events.ingest", object).after(json!({
        "run": done.run,
        "object": done.object,
        "written": done.counts.written,
        "deleted": done.counts.deleted,
        "quarantined": done.counts.quarantined,
    }))
}
