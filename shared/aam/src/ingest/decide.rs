//! What is to be written, decided in memory: one item after the other, as if each had come alone.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use schema::RunId;

use super::Outcome;
use super::prepare::Prepared;
use crate::db::raw_records::Known;

/// What stands under an id: stored, or to be.
struct State {
    content_hash: [u8; 32],
    version: Option<DateTime<Utc>>,
    /// The run that brought it; none where that is the present one.
    origin: Option<RunId>,
    /// Whether what is older than its version is stale.
    holds: bool,
    current_mapping: bool,
    deleted: bool,
}

/// When what comes was so at its source, where that is known, and the time now. A stored version
/// holds against what comes if it is newer than the former, and not of the future: that is a
/// clock's mistake, and must not make all that comes stale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) as_of: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
    /// The run, where what comes again has come with it: no mapping says yet which record it is, and
    /// another content of that record may have come in between.
    pub(super) renews: Option<RunId>,
}

/// The outcome of each item, and the indices of those to write: the last of each id, in the
/// order of ids. An unchanged one is among them where its version is newer. One order for
/// everybody, so that no two batches wait for each other.
///
/// The items at `first` are decided before the others: those that have their records, wherever they
/// stand.
pub(super) fn decide(
    known: Vec<Known>,
    mapping_version: i32,
    (items, first): (&[Option<Prepared<'_>>], &HashSet<usize>),
    times: Times,
) -> (Vec<Option<Outcome>>, Vec<usize>) {
    let mut states: HashMap<String, State> = known
        .into_iter()
        .map(|it| {
            (
                it.source_id.clone(),
                State::stored(&it, mapping_version, times),
            )
        })
        .collect();
    let mut writes = HashMap::with_capacity(items.len());
    let mut outcomes: Vec<_> = items.iter().map(|_| None).collect();
    let (begin, rest): (Vec<_>, Vec<_>) = (0..items.len()).partition(|it| first.contains(it));
    for index in begin.into_iter().chain(rest) {
        let Some(item) = &items[index] else {
            continue;
        };
        let state = states.get_mut(&item.source_id);
        let outcome = compare(state.as_deref(), item);
        // The same again at another time: what comes late must be measured by that time.
        let moves = state
            .as_ref()
            .is_some_and(|it| it.is_moved_by(item.version) || it.is_of_another_run(times.renews));
        if outcome != Outcome::Stale && (outcome != Outcome::Unchanged || moves) {
            let new = State::new(state.as_deref(), item);
            match state {
                Some(state) => *state = new,
                None => {
                    states.insert(item.source_id.clone(), new);
                }
            }
            writes.insert(item.source_id.as_str(), index);
        }
        outcomes[index] = Some(outcome);
    }
    let mut writes: Vec<_> = writes.into_iter().collect();
    writes.sort_unstable();
    (outcomes, writes.into_iter().map(|it| it.1).collect())
}

/// Whether a record is stored from content with that hash, by that version of the mapping, and
/// stays as it is where the same comes again. `occurred_at` is the version of content that has none
/// itself; content that has one is stored with it.
pub(super) fn is_stored(
    known: &Known,
    (content_hash, occurred_at): (&[u8; 32], Option<DateTime<Utc>>),
    mapping_version: i32,
    times: Times,
) -> bool {
    let state = State::stored(known, mapping_version, times);
    let same = state.content_hash == *content_hash && state.current_mapping && !state.deleted;
    same && !state.is_moved_by(occurred_at)
}

fn compare(state: Option<&State>, item: &Prepared<'_>) -> Outcome {
    let deletes = item.record.is_none();
    if let Some(state) = state {
        let same = state.content_hash == item.content_hash && state.current_mapping;
        if same && state.deleted == deletes || state.deleted && deletes {
            return Outcome::Unchanged;
        }
        if !state.is_read_again_by(item) && state.is_newer_than(item) {
            return Outcome::Stale;
        }
    }
    if deletes {
        Outcome::Deleted
    } else {
        Outcome::Accepted
    }
}

impl State {
    fn stored(known: &Known, mapping_version: i32, times: Times) -> State {
        let holds = |it: DateTime<Utc>| it <= times.now && times.as_of.is_none_or(|of| of < it);
        // What is in no view holds nothing back.
        let is_shown = !known.unfit;
        State {
            content_hash: known.content_hash.as_slice().try_into().unwrap_or_default(),
            version: known.version.filter(|_| is_shown),
            origin: Some(known.origin).filter(|_| is_shown),
            holds: known.version.is_some_and(holds),
            current_mapping: known.mapping_version == mapping_version && is_shown,
            deleted: known.deleted,
        }
    }

    fn is_of_another_run(&self, run: Option<RunId>) -> bool {
        run.is_some_and(|run| self.origin.is_some_and(|it| it != run))
    }

    fn is_moved_by(&self, version: Option<DateTime<Utc>>) -> bool {
        let earlier = version.is_some() && version < self.version;
        self.version < version || earlier && !self.holds
    }

    /// Whether it is of that content, under another mapping: no older than itself, whatever that
    /// mapping takes for its version.
    fn is_read_again_by(&self, item: &Prepared<'_>) -> bool {
        let same = self.content_hash == item.content_hash && !self.current_mapping;
        same && !self.deleted && item.record.is_some()
    }

    /// Versions say so where both have one; else, of what a replay brings again, the runs that it came
    /// with.
    fn is_newer_than(&self, item: &Prepared<'_>) -> bool {
        match (self.version, item.version) {
            (Some(stored), Some(version)) if stored != version => self.holds && version < stored,
            _ => match (self.origin, item.origin) {
                (Some(stored), Some(origin)) => origin < stored,
                _ => false,
            },
        }
    }

    /// The state after the item was written.
    fn new(before: Option<&State>, item: &Prepared<'_>) -> State {
        let before = before.filter(|it| !it.is_read_again_by(item));
        State {
            content_hash: item.content_hash,
            version: item.version.or(before.and_then(|it| it.version)),
            origin: item.origin,
            holds: true,
            current_mapping: true,
            deleted: item.record.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::prepare::{hash, prepare};
    use crate::ingest::{Item, Op};
    use mapping::Plan;
    use schema::mapping::{FieldMapping, Mapping};

    fn plan() -> Plan {
        let field = |target: &str| FieldMapping {
            target: target.to_owned(),
            sources: vec![target.to_owned()],
            transforms: vec![],
        };
        Plan::compile(&Mapping {
            entity: "account".to_owned(),
            fields: ["account_id", "name", "updated_at"].map(field).to_vec(),
        })
        .unwrap()
    }

    /// Items as `id name date`, deletes as `-id`; a last word `@day` is when it happened.
    /// `known` is what an earlier batch left.
    #[track_caller]
    fn check(known: &str, items: &str, expected: &str, written: &[usize]) {
        check_as_of(None, known, items, expected, written);
    }

    /// The same, of items that were so on that day.
    #[track_caller]
    fn check_as_of(
        as_of: Option<i64>,
        known: &str,
        items: &str,
        expected: &str,
        written: &[usize],
    ) {
        check_under(1, as_of, known, (items, expected, written));
    }

    /// The same, under that version of the mapping; what is known is of version 1.
    #[track_caller]
    fn check_under(
        mapping_version: i32,
        as_of: Option<i64>,
        known: &str,
        (items, expected, written): (&str, &str, &[usize]),
    ) {
        let plan = plan();
        let known = known.split_terminator(", ").map(|it| {
            let texts = texts(it);
            let item = item(&texts);
            let prepared = prepare(&plan, &item, hash(&item)).unwrap();
            Known {
                source_id: prepared.source_id,
                content_hash: prepared.content_hash.to_vec(),
                version: prepared.version,
                mapping_version: 1,
                run_id: RunId(uuid::Uuid::nil()),
                origin: RunId(uuid::Uuid::nil()),
                source_key: None,
                line: None,
                unfit: false,
                deleted: prepared.record.is_none(),
            }
        });
        let known = known.collect();
        let texts: Vec<_> = items.split(", ").map(texts).collect();
        let prepared: Vec<_> = texts
            .iter()
            .map(item)
            .map(|it| prepare(&plan, &it, hash(&it)).ok())
            .collect();
        let now = DateTime::parse_from_rfc3339("2026-12-31T00:00:00Z").unwrap();
        let times = Times {
            as_of: as_of.and_then(|it| DateTime::from_timestamp(it, 0)),
            now: now.into(),
            renews: None,
        };
        let (outcomes, writes) =
            decide(known, mapping_version, (&prepared, &HashSet::new()), times);
        let words: Vec<_> = outcomes
            .iter()
            .map(|it| format!("{:?}", it.as_ref().unwrap()).to_lowercase())
            .collect();
        assert_eq!(words.join(" "), expected, "{items}");
        assert_eq!(writes, written, "{items}");
    }

    type Texts = (Op, String, Option<DateTime<Utc>>);

    fn texts(item: &str) -> Texts {
        let (item, occurred_at) = match item.split_once(" @") {
            Some((item, day)) => (item, DateTime::from_timestamp(day.parse().unwrap(), 0)),
            None => (item, None),
        };
        let words: Vec<_> = item.split(' ').collect();
        match words.as_slice() {
            [id, name] => (Op::Upsert, json(id, name, ""), occurred_at),
            [id, name, date] => (Op::Upsert, json(id, name, date), occurred_at),
            [id] => (Op::Delete, json(&id[1..], "", ""), occurred_at),
            _ => panic!("{item}"),
        }
    }

    fn json(id: &str, name: &str, day: &str) -> String {
        format!(r#"{{"account_id":"{id}","name":"{name}","updated_at":"{day}"}}"#)
    }

    fn item((op, payload, occurred_at): &Texts) -> Item<'_> {
        Item {
            payload: payload.as_bytes(),
            line: None,
            occurred_at: *occurred_at,
            origin: None,
            op: *op,
            source_id: None,
            source_key: None,
        }
    }

    #[test]
    fn what_is_new_is_written_in_the_order_of_ids() {
        check("", "b x, a x", "accepted accepted", &[1, 0]);
    }

    #[test]
    fn what_is_stored_is_unchanged() {
        check("a x", "a x, b x", "unchanged accepted", &[1]);
    }

    #[test]
    fn a_stored_version_from_the_future_makes_nothing_stale() {
        check("a x 2999-01-01", "a y 2026-02-01", "accepted", &[0]);
        check("a x 2999-01-01", "-a @3", "deleted", &[0]);
    }

    #[test]
    fn how_the_source_is_is_stale_only_against_what_came_since() {
        check_as_of(Some(9), "a x @5", "a y @3", "accepted", &[0]);
        check_as_of(
            Some(9),
            "a x @9",
            "a y @3, a y @3",
            "accepted unchanged",
            &[0],
        );
        check_as_of(Some(9), "a x @10", "a y @3", "stale", &[]);
        check_as_of(Some(9), "a x @5", "a x @5", "unchanged", &[]);
        check_as_of(Some(9), "a x @5", "a x @3", "unchanged", &[0]);
        check_as_of(Some(9), "a x", "a y", "accepted", &[0]);
    }

    #[test]
    fn an_older_version_is_stale_and_the_same_version_is_not() {
        check("a x 2026-02-02", "a y 2026-02-01", "stale", &[]);
        check("a x 2026-02-02", "a y 2026-02-02", "accepted", &[0]);
        check("a x 2026-02-02", "a y", "accepted", &[0]);
        check("a x", "a y 2026-02-02", "accepted", &[0]);
    }

    #[test]
    fn stored_content_follows_another_mapping_whatever_version_that_reads() {
        // The version came with the record before; the mapping takes one from the content now.
        let stored = "a x 2026-02-01";
        check_under(2, None, stored, (stored, "accepted", &[0]));
        check_under(2, None, "a x @1770000000", ("a x @3", "accepted", &[0]));
        check_under(2, None, "a x @1770000000", ("a y @3", "stale", &[]));
        check_under(2, None, "-a @1770000000", ("a y @3", "stale", &[]));
    }

    #[test]
    fn of_what_a_replay_brings_again_the_later_run_counts_unless_versions_say_otherwise() {
        let run = |it: u128| RunId(uuid::Uuid::from_u128(it));
        let plan = plan();
        let now = "2026-12-31T00:00:00Z".parse().unwrap();
        let times = Times {
            as_of: None,
            now,
            renews: None,
        };
        let check = |items: &[(&str, u128)], expected: &[Outcome]| {
            let texts: Vec<_> = items.iter().map(|it| (texts(it.0), it.1)).collect();
            let prepared: Vec<_> = texts
                .iter()
                .map(|(texts, origin)| {
                    let origin = Some(run(*origin));
                    let item = Item {
                        origin,
                        ..item(texts)
                    };
                    prepare(&plan, &item, hash(&item)).ok()
                })
                .collect();
            let (outcomes, _) = decide(vec![], 1, (&prepared, &HashSet::new()), times);
            let outcomes: Vec<_> = outcomes.into_iter().flatten().collect();
            assert_eq!(outcomes, expected, "{items:?}");
        };
        use Outcome::{Accepted, Stale};
        check(&[("a x", 1), ("a y", 2)], &[Accepted, Accepted]);
        check(&[("a x", 2), ("a y", 1)], &[Accepted, Stale]);
        check(&[("a x 2026-02-02", 2), ("a y", 1)], &[Accepted, Stale]);
        let (old, new) = ("a x 2026-02-01", "a y 2026-02-02");
        check(&[(old, 2), (new, 1)], &[Accepted, Accepted]);
        check(&[(new, 1), (old, 2)], &[Accepted, Stale]);
    }

    #[test]
    fn of_one_id_the_last_one_is_written() {
        check("", "a x, a y, a y", "accepted accepted unchanged", &[1]);
        check("a x", "a y, a x", "accepted accepted", &[1]);
        check(
            "",
            "a x 2026-02-02, a y 2026-02-01, a z",
            "accepted stale accepted",
            &[2],
        );
    }

    #[test]
    fn a_version_is_remembered_through_records_without_one() {
        check(
            "a x 2026-02-02",
            "a y, a z 2026-02-01",
            "accepted stale",
            &[0],
        );
    }

    #[test]
    fn the_same_at_a_later_time_moves_the_version() {
        check("a x @1", "a x @3, a y @2", "unchanged stale", &[0]);
        check("a x @3", "a x @1, a y @2", "unchanged stale", &[]);
        check("-a @1", "-a @3, a y @2", "unchanged stale", &[0]);
    }

    #[test]
    fn a_delete_is_a_write_once() {
        check("a x", "-a, -a", "deleted unchanged", &[0]);
        check("-a", "-a", "unchanged", &[]);
        check("-a", "a x", "accepted", &[0]);
        check("a x", "-a, a x", "deleted accepted", &[1]);
    }
}
