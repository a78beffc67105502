//! Stored records mapped both ways, one after the other, in whatever order they come.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use mapping::{Cell, Plan, Record};

use super::{
    Difference, FailureExample, FieldDifference, FieldExample, MAX_EXAMPLES, MAX_RECORDS, MAX_SHOWN,
};
use crate::db::stored_records::Stored;
use crate::ingest::{Meeting, Row, collision_in_file, read_record};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    difference: Difference,
    /// The rows that would have the records, by id.
    holders: HashMap<String, Holder>,
    /// Contents that are stored, and in quarantine as well: they are one record.
    unfit: HashSet<Vec<u8>>,
}

#[derive(Debug)]
struct Holder {
    row: Row,
    source_key: Option<String>,
    effect: Effect,
}

/// What a record was counted as, to be taken back where another row has its id.
#[derive(Debug)]
struct Effect {
    of_record: OfRecord,
    /// Places among the fields, each with how it differs.
    of_fields: Vec<(usize, OfField)>,
}

#[derive(Debug, Clone, Copy)]
enum OfRecord {
    Unchanged,
    Changed,
    Gained,
}

#[derive(Debug, Clone, Copy)]
enum OfField {
    Changed,
    Emptied,
    Filled,
}

impl Comparison {
    /// Maps these records both ways, and says whether there was room and time for all of them.
    pub(super) fn add_all(
        &mut self,
        plans: (&Plan, &Plan),
        records: &[Stored],
        until: Instant,
    ) -> bool {
        for record in records {
            if MAX_RECORDS <= self.difference.records || until <= Instant::now() {
                return false;
            }
            self.add(plans, record);
        }
        true
    }

    /// What was found, once all was added.
    pub(super) fn end(self) -> Difference {
        let mut difference = self.difference;
        let differs = |it: &FieldDifference| 0 < it.changed + it.emptied + it.filled;
        difference.fields.retain(differs);
        difference
    }

    fn add(&mut self, (before, after): (&Plan, &Plan), stored: &Stored) {
        if stored.deleted || stored.unfit && !self.unfit.insert(stored.content_hash.clone()) {
            return;
        }
        self.difference.records += 1;
        let is_shown = !stored.unfit && !before.is_unmapped();
        let old = is_shown.then(|| before.canonicalise(&stored.payload).ok());
        let old = old.flatten();
        match read_record(after, &stored.payload) {
            Ok(new) => self.admit(old.as_ref(), &new, stored),
            Err(error) => {
                match old {
                    Some(_) => self.difference.lost += 1,
                    None => self.difference.unreadable += 1,
                }
                self.fail(stored, error.field, error.reason);
            }
        }
    }

    /// Lets one row have its record, unless another one has it.
    fn admit(&mut self, old: Option<&Record<'_>>, new: &Record<'_>, stored: &Stored) {
        let id = new.source_id().into_owned();
        let row = Row {
            origin: stored.origin,
            line: stored.line.and_then(|it| it.try_into().ok()),
            version: new.version().or(stored.occurred_at),
            content_hash: stored
                .content_hash
                .as_slice()
                .try_into()
                .unwrap_or_default(),
        };
        let meeting = self.holders.get(&id).map(|holder| {
            let rivals = holder.source_key.is_some() && holder.source_key != stored.source_key;
            match rivals && stored.source_key.is_some() {
                true => Meeting::Later,
                false => holder.row.meet(&row),
            }
        });
        match meeting {
            None => {}
            Some(Meeting::Same) => {
                self.difference.unchanged += 1;
                return;
            }
            Some(Meeting::Older) => {
                self.difference.stale += 1;
                return;
            }
            Some(Meeting::Later) => {
                self.difference.collisions += 1;
                return self.fail(stored, None, collision_in_file(&id));
            }
            Some(Meeting::Newer) => {
                self.difference.stale += 1;
                self.take_back(&id);
            }
            Some(Meeting::Earlier) => {
                self.difference.collisions += 1;
                self.take_back(&id);
            }
        }
        let effect = self.difference.count(old, new);
        let source_key = stored.source_key.clone();
        let holder = Holder {
            row,
            source_key,
            effect,
        };
        self.holders.insert(id, holder);
    }

    fn take_back(&mut self, id: &str) {
        if let Some(holder) = self.holders.remove(id) {
            self.difference.discount(id, &holder.effect);
        }
    }

    fn fail(&mut self, stored: &Stored, field: Option<String>, reason: String) {
        let failures = &mut self.difference.failures;
        if failures.len() < MAX_EXAMPLES {
            failures.push(FailureExample {
                source_id: stored.place.clone(),
                field,
                reason,
            });
        }
    }
}

impl Difference {
    /// Counts a record, and in which fields it differs.
    fn count(&mut self, old: Option<&Record<'_>>, new: &Record<'_>) -> Effect {
        let other_entity = old.is_some_and(|it| it.entity.kind != new.entity.kind);
        let mut of_fields = Vec::new();
        for (field, cell) in new.entity.fields.iter().zip(&new.cells) {
            let value = |it: &Cell<'_>| Some(it.text().into_owned()).filter(|it| !it.is_empty());
            let after = value(cell);
            let before = old.and_then(|it| it.cell(&field.name)).and_then(value);
            if before != after {
                of_fields.push(self.note(&field.name, &new.source_id(), before, after));
            }
        }
        let of_record = match old {
            None => OfRecord::Gained,
            Some(_) if other_entity || !of_fields.is_empty() => OfRecord::Changed,
            Some(_) => OfRecord::Unchanged,
        };
        *self.of_record(of_record) += 1;
        Effect {
            of_record,
            of_fields,
        }
    }

    /// Takes back what was counted of the record with that id.
    fn discount(&mut self, id: &str, effect: &Effect) {
        *self.of_record(effect.of_record) -= 1;
        for (index, of_field) in &effect.of_fields {
            let field = &mut self.fields[*index];
            *field.of(*of_field) -= 1;
            field.examples.retain(|it| it.source_id != id);
        }
    }

    fn of_record(&mut self, kind: OfRecord) -> &mut u64 {
        match kind {
            OfRecord::Unchanged => &mut self.unchanged,
            OfRecord::Changed => &mut self.changed,
            OfRecord::Gained => &mut self.gained,
        }
    }

    fn note(
        &mut self,
        field: &str,
        source_id: &str,
        before: Option<String>,
        after: Option<String>,
    ) -> (usize, OfField) {
        let known = self.fields.iter().position(|it| it.field == field);
        let index = known.unwrap_or_else(|| {
            self.fields.push(FieldDifference {
                field: field.to_owned(),
                changed: 0,
                emptied: 0,
                filled: 0,
                examples: vec![],
            });
            self.fields.len() - 1
        });
        let noted = &mut self.fields[index];
        let kind = match (&before, &after) {
            (Some(_), Some(_)) => OfField::Changed,
            (Some(_), None) => OfField::Emptied,
            (None, _) => OfField::Filled,
        };
        *noted.of(kind) += 1;
        if noted.examples.len() < MAX_EXAMPLES {
            let cut = |it: String| it.chars().take(MAX_SHOWN).collect();
            noted.examples.push(FieldExample {
                source_id: source_id.to_owned(),
                before: before.map(cut),
                after: after.map(cut),
            });
        }
        (index, kind)
    }
}

impl FieldDifference {
    fn of(&mut self, kind: OfField) -> &mut u64 {
        match kind {
            OfField::Changed => &mut self.changed,
            OfField::Emptied => &mut self.emptied,
            OfField::Filled => &mut self.filled,
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::RunId;
    use schema::mapping::Mapping;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::ingest::content_hash;

    fn plan(name: &str) -> Plan {
        let mapping: Mapping = serde_json::from_value(json!({ "entity": "account", "fields": [
            { "target": "account_id", "sources": ["id"] },
            { "target": "name", "sources": [name] },
            { "target": "industry", "sources": ["branch"] },
        ] }))
        .unwrap();
        Plan::compile(&mapping).unwrap()
    }

    fn stored(payload: &str) -> Stored {
        Stored {
            place: "place".to_owned(),
            payload: payload.to_owned(),
            occurred_at: None,
            line: None,
            source_key: None,
            run: RunId(Uuid::nil()),
            origin: RunId(Uuid::nil()),
            content_hash: content_hash(payload.as_bytes()).to_vec(),
            deleted: false,
            unfit: false,
            readable: true,
        }
    }

    #[test]
    fn a_difference_counts_records_and_fields() {
        let (by_name, by_title) = (plan("name"), plan("title"));
        let mut comparison = Comparison::default();
        for payload in [
            r#"{"id":"1","name":"One","title":"One"}"#,
            r#"{"id":"2","name":"Two","title":"II"}"#,
            r#"{"id":"3","title":"Three"}"#,
            r#"{"id":"4","name":"Four"}"#,
            r#"{"name":"?"}"#,
            r#"{"id":"2","name":"Two","title":"Again"}"#,
        ] {
            comparison.add((&by_name, &by_title), &stored(payload));
        }
        let difference = comparison.end();
        let mut found = serde_json::to_value(&difference).unwrap();
        found["failures"] = json!(difference.failures.len());
        assert_eq!(
            found,
            json!({
                "records": 6, "stored": 0, "stored_at_least": false, "complete": false, "unchanged": 1, "changed": 1, "gained": 1,
                "lost": 1, "unreadable": 1, "collisions": 1, "stale": 0,
                "failures": 3,
                "fields": [
                    { "field": "name", "changed": 1, "emptied": 0, "filled": 1, "examples": [
                        { "source_id": "2", "before": "Two", "after": "II" },
                        { "source_id": "3", "before": null, "after": "Three" },
                    ] },
                    { "field": "account_id", "changed": 0, "emptied": 0, "filled": 1, "examples": [
                        { "source_id": "3", "before": null, "after": "3" },
                    ] },
                ],
            })
        );
    }
}
