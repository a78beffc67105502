//! The events of one request into the database, in one transaction.
//!
//! Locks are taken in one order (event ids, then object by object, the audit chain last), so two
//! requests never wait for each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use aam::db::Connection;
use aam::db::event_ids::{self, EventId};
use aam::db::runs::RunKind;
use aam::ingest::{Item, OpenError, Outcome, Passage, Run, Stream};
use chrono::{DateTime, Utc};
use platform::audit;
use platform::{Caller, Platform, Problem, Result, db, metrics, storage};
use schema::source::ObjectKey;
use schema::{ConnectionId, Error, TenantId};
use serde_json::json;

use crate::event::Event;

/// The result of one event.
#[derive(Debug)]
pub(crate) enum Disposition {
    Rejected(String),
    Duplicate,
    Ingested(Outcome),
}

/// Ingests the events, in their order, and says what became of each.
pub(crate) async fn ingest_events<'a>(
    platform: &Platform,
    caller: &Caller,
    events: impl Iterator<Item = &'a Event<'a>>,
    now: DateTime<Utc>,
) -> Result<Vec<Disposition>> {
    let tenant = caller.tenant;
    let mut request = Request {
        tenant,
        now,
        events: events.map(Pending::new).collect(),
    };
    let mut tx = db::begin(&platform.db, tenant).await?;
    request.reject_unconnected(&mut tx).await?;
    let mut passages = Vec::new();
    loop {
        let round = request.undecided();
        if round.is_empty() {
            break;
        }
        passages.extend(request.ingest_round(&mut tx, &round).await?);
    }
    if passages.iter().any(|it| 0 < it.run.counts.added()) {
        storage::check(platform, &mut tx, tenant).await?;
    }
    passages.retain(|it| it.run.counts.changed());
    for passage in &passages {
        audit::append(&mut tx, tenant, &entry(caller, passage)).await?;
    }
    // A crash may forget that nothing was new, but not that it was so at a later time.
    let mut events = request.events.iter();
    let timed = events.any(|it| it.event.occurred_at.is_some());
    if passages.is_empty() && !timed {
        db::commit_async(tx).await?;
    } else {
        tx.commit().await?;
    }
    Ok(request.dispositions())
}

/// An event on its way.
struct Pending<'a> {
    event: &'a Event<'a>,
    /// The earlier event of the request with the same id, whose disposition decides about this one.
    repeats: Option<usize>,
    /// None as long as nothing is known of it.
    disposition: Option<Disposition>,
}

/// What tells an event from all others of its tenant.
type EventKey<'a> = (ConnectionId, &'a str, &'a str);

impl<'a> Pending<'a> {
    fn new(event: &'a Event<'a>) -> Pending<'a> {
        Pending {
            event,
            repeats: None,
            disposition: None,
        }
    }

    fn key(&self) -> Option<EventKey<'a>> {
        let event = self.event;
        Some((event.object.connection, &event.source, event.id.as_deref()?))
    }

    fn is_undecided(&self) -> bool {
        self.disposition.is_none()
    }

    fn is_duplicate(&self) -> bool {
        matches!(self.disposition, Some(Disposition::Duplicate))
    }

    fn is_quarantined(&self) -> bool {
        let quarantined = |it: &Outcome| matches!(it, Outcome::Quarantined { .. });
        matches!(&self.disposition, Some(Disposition::Ingested(it)) if quarantined(it))
    }
}

/// The events of a request. One that repeats another which is quarantined has a round of its own.
struct Request<'a> {
    tenant: TenantId,
    now: DateTime<Utc>,
    events: Vec<Pending<'a>>,
}

impl<'a> Request<'a> {
    /// Rejects the events of connections that the tenant has not, and locks those that it has.
    async fn reject_unconnected(&mut self, conn: &mut Connection) -> Result<()> {
        let connections = self.events.iter().map(|it| it.event.object.connection);
        let mut ids: Vec<_> = connections.collect();
        ids.sort_unstable();
        ids.dedup();
        let known = aam::db::connections::lock_for_ingest(conn, self.tenant, &ids).await?;
        let known: HashSet<_> = known.into_iter().collect();
        for pending in &mut self.events {
            if !known.contains(&pending.event.object.connection) {
                let reason = "connection not found".to_owned();
                pending.disposition = Some(Disposition::Rejected(reason));
            }
        }
        Ok(())
    }

    /// The indices of the events of which nothing is known yet.
    fn undecided(&self) -> Vec<usize> {
        let events = self.events.iter().enumerate();
        events
            .filter(|(_, it)| it.is_undecided())
            .map(|(index, _)| index)
            .collect()
    }

    /// Ingests these events, object by object. Leaves those undecided that repeat one which is
    /// quarantined.
    async fn ingest_round(
        &mut self,
        conn: &mut Connection,
        round: &[usize],
    ) -> Result<Vec<Passage>> {
        let mut keys: Vec<_> = round
            .iter()
            .filter_map(|it| self.events[*it].key())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.is_empty() {
            let fresh = event_ids::insert_once(conn, self.tenant, &keys, self.now).await?;
            self.mark_duplicates(round, &fresh.iter().map(EventId::key).collect());
        }
        let mut passages = Vec::new();
        for indices in self.group_by_object(round).into_values() {
            passages.push(self.ingest_object(conn, &indices).await?);
        }
        self.free_quarantined(conn, round).await?;
        Ok(passages)
    }

    /// Of events with one id, the first counts, of all requests together. Notes which events repeat
    /// an earlier one of this request, whose own outcome is not known yet.
    fn mark_duplicates(&mut self, round: &[usize], fresh: &HashSet<EventKey<'_>>) {
        let mut firsts = HashMap::new();
        for index in round {
            let pending = &mut self.events[*index];
            let Some(key) = pending.key() else { continue };
            let first = *firsts.entry(key).or_insert(*index);
            pending.repeats = (first != *index).then_some(first);
            if !fresh.contains(&key) {
                pending.disposition = Some(Disposition::Duplicate);
            }
        }
    }

    fn group_by_object(&self, round: &[usize]) -> BTreeMap<ObjectKey<'a>, Vec<usize>> {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for index in round {
            let object = self.events[*index].event.object.key();
            groups.entry(object).or_default().push(*index);
        }
        groups
    }

    /// The events of one object: one run.
    async fn ingest_object(&mut self, conn: &mut Connection, indices: &[usize]) -> Result<Passage> {
        let first = self.events[indices[0]].event;
        let data: Vec<_> = indices
            .iter()
            .map(|it| self.events[*it].event.data)
            .collect();
        let stream = Stream::open_for_events(conn, self.tenant, (&first.object, &data), self.now);
        let run = Run {
            bytes: indices
                .iter()
                .map(|it| self.events[*it].event.data.len() as u64)
                .sum(),
            ..Run::new(RunKind::Events, self.now)
        };
        let mut passage = Passage::new(stream.await.map_err(unopened)?, run);
        let fresh = indices.iter().copied().filter(|it| {
            let pending = &self.events[*it];
            pending.is_undecided() && pending.repeats.is_none()
        });
        let fresh: Vec<_> = fresh.collect();
        let items: Vec<_> = fresh
            .iter()
            .map(|it| item(self.events[*it].event))
            .collect();
        let outcomes = passage.write(conn, &items, self.now).await?;
        for (index, outcome) in fresh.into_iter().zip(outcomes) {
            self.events[index].disposition = Some(Disposition::Ingested(outcome));
        }
        self.settle_repeats(indices);
        for index in indices {
            if self.events[*index].is_duplicate() {
                passage.run.counts.add_duplicate();
            }
        }
        let drift = passage.finish(conn, self.now).await?;
        metrics::count("DriftOpened", usize::from(drift.is_some()));
        Ok(passage)
    }

    /// An event that repeats one which counts is a duplicate. One that is quarantined does not
    /// count.
    fn settle_repeats(&mut self, indices: &[usize]) {
        for index in indices {
            let pending = &self.events[*index];
            let Some(first) = pending.repeats else {
                continue;
            };
            if pending.is_undecided() && !self.events[first].is_quarantined() {
                self.events[*index].disposition = Some(Disposition::Duplicate);
            }
        }
    }

    /// Forgets the ids of events that were quarantined: the corrected ones will have them.
    async fn free_quarantined(&self, conn: &mut Connection, round: &[usize]) -> Result<()> {
        let events = round.iter().map(|it| &self.events[*it]);
        let quarantined = events.filter(|it| it.is_quarantined());
        let ids: Vec<_> = quarantined.filter_map(Pending::key).collect();
        if !ids.is_empty() {
            event_ids::delete(conn, self.tenant, &ids).await?;
        }
        Ok(())
    }

    fn dispositions(self) -> Vec<Disposition> {
        let dispositions = self.events.into_iter().map(|it| it.disposition);
        dispositions
            .map(|it| it.expect("the rounds go on until all are decided"))
            .collect()
    }
}

/// That a mapping is broken is no fault of the events.
fn unopened(error: OpenError) -> Problem {
    match error {
        OpenError::Database(error) => error.into(),
        error @ OpenError::Mapping { .. } => Error::Internal(error.into()).into(),
    }
}

fn item<'a>(event: &Event<'a>) -> Item<'a> {
    Item {
        payload: event.data,
        line: None,
        occurred_at: event.occurred_at,
        origin: None,
        op: event.op,
        source_id: None,
        source_key: None,
    }
}

fn entry(caller: &Caller, passage: &Passage) -> audit::Entry {
    let (object, run) = (&passage.stream.object, &passage.run);
    let connection = format!("connection:{}", object.connection);
    audit::Entry::new(caller, "events.ingest", connection).after(json!({
        "run": run.id,
        "object": object.name,
        "written": run.counts.written,
        "deleted": run.counts.deleted,
        "quarantined": run.counts.quarantined,
    }))
}

#[cfg(test)]
mod tests {
    use aam::ingest::Op;
    use schema::entity;
    use schema::source::ObjectRef;
    use uuid::Uuid;

    use super::*;

    /// Events as `system:id`, or `system` for one without an id.
    fn events(words: &str) -> Vec<Event<'_>> {
        let account = entity::find("account").unwrap();
        let event = |word: &'_ str| {
            let (system, id) = word.split_once(':').unzip();
            let system = system.unwrap_or(word);
            let object = ObjectRef::of_entity(ConnectionId(Uuid::nil()), system, account);
            (object, id.map(str::to_owned))
        };
        let events = words.split(' ').map(|word| {
            let (object, id) = event(word);
            Event {
                source: object.system.clone().into(),
                object,
                op: Op::Upsert,
                data: b"{}",
                id,
                occurred_at: None,
            }
        });
        events.collect()
    }

    fn request<'a>(events: &'a [Event<'a>]) -> Request<'a> {
        Request {
            tenant: TenantId(Uuid::nil()),
            now: DateTime::UNIX_EPOCH,
            events: events.iter().map(Pending::new).collect(),
        }
    }

    fn quarantined() -> Disposition {
        Disposition::Ingested(Outcome::Quarantined {
            field: None,
            reason: "wrong".to_owned(),
            collides: false,
        })
    }

    fn show(request: &Request<'_>) -> String {
        let words = request.events.iter().map(|it| match &it.disposition {
            None => it.repeats.map_or("new".to_owned(), |it| format!("={it}")),
            Some(Disposition::Duplicate) => "duplicate".to_owned(),
            Some(Disposition::Ingested(Outcome::Quarantined { .. })) => "quarantined".to_owned(),
            Some(other) => format!("{other:?}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn check_marks(words: &str, seen: &str, expected: &str) {
        let (events, seen) = (events(words), events(seen));
        let mut request = request(&events);
        let seen: HashSet<_> = seen
            .iter()
            .filter_map(|it| Pending::new(it).key())
            .collect();
        let keys = request.events.iter().filter_map(Pending::key);
        let fresh = keys.filter(|it| !seen.contains(it)).collect();
        request.mark_duplicates(&request.undecided(), &fresh);
        assert_eq!(show(&request), expected, "{words}");
    }

    #[test]
    fn of_events_with_one_id_the_first_counts() {
        check_marks("crm:1 crm:2", "", "new new");
        check_marks("crm:1 crm:2 crm:1 crm:1", "", "new new =0 =0");
        check_marks("crm:1 crm:2 crm:1", "crm:1", "duplicate new duplicate");
        // Ids are their sources' own.
        check_marks("crm:1 erp:1", "crm:1", "duplicate new");
        check_marks("crm crm", "", "new new");
    }

    /// What becomes of events once those without repetition have an outcome; `quarantine` are the
    /// indices of those that could not be mapped.
    #[track_caller]
    fn check_repeats(words: &str, quarantine: &[usize], expected: &str) {
        let events = events(words);
        let mut request = request(&events);
        let round = request.undecided();
        let fresh = request.events.iter().filter_map(Pending::key).collect();
        request.mark_duplicates(&round, &fresh);
        for (index, pending) in request.events.iter_mut().enumerate() {
            if pending.repeats.is_none() {
                pending.disposition = Some(match quarantine.contains(&index) {
                    true => quarantined(),
                    false => Disposition::Ingested(Outcome::Accepted),
                });
            }
        }
        request.settle_repeats(&round);
        assert_eq!(show(&request), expected, "{words}");
    }

    #[test]
    fn what_repeats_a_quarantined_event_has_a_turn_of_its_own() {
        check_repeats("crm:1 crm:1", &[], "Ingested(Accepted) duplicate");
        check_repeats("crm:1 crm:1 crm:1", &[0], "quarantined =0 =0");
    }

    #[test]
    fn a_later_round_begins_anew() {
        let events = events("crm:1 crm:1 crm:1");
        let mut request = request(&events);
        let fresh = request.events.iter().filter_map(Pending::key).collect();
        request.mark_duplicates(&request.undecided(), &fresh);
        request.events[0].disposition = Some(quarantined());
        request.mark_duplicates(&request.undecided(), &fresh);
        assert_eq!(show(&request), "quarantined new =1");
    }

    #[test]
    fn events_are_grouped_by_object_in_one_order_for_everybody() {
        let events = events("erp:1 crm:2 erp:3 crm");
        let request = request(&events);
        let groups = request.group_by_object(&[0, 1, 2, 3]);
        let groups: Vec<_> = groups
            .iter()
            .map(|it| (it.0.name, it.1.as_slice()))
            .collect();
        let expected: [(_, &[_]); 2] = [("crm.account", &[1, 3]), ("erp.account", &[0, 2])];
        assert_eq!(groups, expected);
    }
}
