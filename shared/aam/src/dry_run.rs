//! What another mapping would change, record by record, without writing anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mapping::{Plan, Record};
use schema::source::ObjectKey;
use schema::{Error, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Connection;
use crate::db::stored_records::{self, Slice, Stored};

/// Records are compared up to this many: an answer has to come within the time of one request.
pub const MAX_RECORDS: u64 = 100_000;
/// A comparison takes this long at most: it holds a connection to the database meanwhile.
pub const MAX_TIME: Duration = Duration::from_secs(10);
/// Stored records are counted up to this many.
const MAX_COUNTED: i64 = 1_000_000;
/// How many examples each count has.
const MAX_EXAMPLES: usize = 10;
/// An example shows this much of a value, in characters.
const MAX_SHOWN: usize = 200;

/// How the records of an object would differ under another mapping.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Difference {
    /// How many stored records were mapped both ways: at most 100,000, and as many as ten seconds
    /// suffice for. One that is stored, and in another form in quarantine, counts as two.
    pub records: u64,
    /// How many are stored, those in quarantine included; no more than 1,000,000 are counted.
    pub stored: u64,
    /// Whether there may be more than `stored`.
    pub stored_at_least: bool,
    /// Whether all that are stored were mapped both ways; some of them, in no particular order,
    /// otherwise.
    pub complete: bool,
    /// Records that would be just the same.
    pub unchanged: u64,
    /// Records that would differ in some field.
    pub changed: u64,
    /// Records that are in quarantine by the present mapping, or unmapped, and would come in.
    pub gained: u64,
    /// Records that would be quarantined.
    pub lost: u64,
    /// Records that neither mapping can read.
    pub unreadable: u64,
    /// Field by field, those that differ in some record.
    pub fields: Vec<FieldDifference>,
    /// Why records would be quarantined: the first ten.
    pub failures: Vec<FailureExample>,
}

/// How one field would differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldDifference {
    /// The canonical field.
    pub field: String,
    /// In how many records it has another value.
    pub changed: u64,
    /// In how many it has a value now and none then.
    pub emptied: u64,
    /// In how many it has none now and a value then.
    pub filled: u64,
    /// The first ten that differ.
    pub examples: Vec<FieldExample>,
}

/// One record in which a field would differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldExample {
    /// The record's id under the other mapping.
    pub source_id: String,
    /// The value now; null where there is none.
    pub before: Option<String>,
    /// The value then; null where there would be none.
    pub after: Option<String>,
}

/// One record that would be quarantined.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureExample {
    /// Where it is stored.
    pub source_id: String,
    /// The canonical field that is wrong; null where the whole record is.
    pub field: Option<String>,
    /// An error, as `application/problem+json`.
    pub reason: String,
}

/// Compares two mappings over what is stored of an object, both the records and what is in
/// quarantine, until that moment at the latest.
pub async fn compare(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    plans: (Plan, Plan),
    until: Instant,
) -> platform::Result<Difference> {
    let (stored, stored_at_least) =
        stored_records::count_some(conn, tenant, object, MAX_COUNTED).await?;
    let mut difference = Difference {
        stored,
        stored_at_least,
        ..Difference::default()
    };
    let plans = Arc::new(plans);
    for quarantined in [false, true] {
        let mut place = String::new();
        loop {
            let slice = Slice {
                object,
                after: &place,
            };
            let records = match quarantined {
                false => stored_records::list_raw(conn, tenant, slice, None).await?,
                true => stored_records::list_quarantined(conn, tenant, slice).await?,
            };
            let Some(last) = records.last() else { break };
            place.clone_from(&last.place);
            let plans = Arc::clone(&plans);
            // It takes a processor, which other requests need meanwhile.
            let work = tokio::task::spawn_blocking(move || {
                let seen_all = difference.add_all((&plans.0, &plans.1), &records, until);
                (difference, seen_all)
            });
            let seen_all;
            (difference, seen_all) = work.await.map_err(|err| Error::Internal(err.into()))?;
            if !seen_all {
                return Ok(difference);
            }
        }
    }
    difference.complete = true;
    Ok(difference)
}

impl Difference {
    /// Maps these records both ways, and says whether there was room and time for all of them.
    fn add_all(&mut self, plans: (&Plan, &Plan), records: &[Stored], until: Instant) -> bool {
        for record in records {
            if MAX_RECORDS <= self.records || until <= Instant::now() {
                return false;
            }
            self.add(plans, &record.place, &record.payload);
        }
        true
    }

    /// Maps one record both ways.
    fn add(&mut self, (before, after): (&Plan, &Plan), place: &str, payload: &str) {
        self.records += 1;
        let old = before
            .canonicalise(payload)
            .ok()
            .filter(|_| !before.is_unmapped());
        match (old, after.canonicalise(payload)) {
            (None, Ok(new)) => {
                self.gained += 1;
                self.add_fields(None, &new);
            }
            (Some(old), Ok(new)) => match self.add_fields(Some(&old), &new) {
                true => self.changed += 1,
                false => self.unchanged += 1,
            },
            (old, Err(error)) => {
                match old {
                    Some(_) => self.lost += 1,
                    None => self.unreadable += 1,
                }
                if self.failures.len() < MAX_EXAMPLES {
                    self.failures.push(FailureExample {
                        source_id: place.to_owned(),
                        field: error.field,
                        reason: error.reason,
                    });
                }
            }
        }
    }

    /// Notes in which fields the record differs, and says whether it does in any.
    fn add_fields(&mut self, old: Option<&Record<'_>>, new: &Record<'_>) -> bool {
        let other_entity = old.is_some_and(|it| it.entity.kind != new.entity.kind);
        let mut differs = other_entity;
        for (field, cell) in new.entity.fields.iter().zip(&new.cells) {
            let value =
                |it: &mapping::Cell<'_>| Some(it.text().into_owned()).filter(|it| !it.is_empty());
            let after = value(cell);
            let before = old.and_then(|it| it.cell(&field.name)).and_then(value);
            if before == after {
                continue;
            }
            differs = true;
            self.note(&field.name, new.source_id().into_owned(), before, after);
        }
        differs
    }

    fn note(
        &mut self,
        field: &str,
        source_id: String,
        before: Option<String>,
        after: Option<String>,
    ) {
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
        match (&before, &after) {
            (Some(_), Some(_)) => noted.changed += 1,
            (Some(_), None) => noted.emptied += 1,
            (None, _) => noted.filled += 1,
        }
        if noted.examples.len() < MAX_EXAMPLES {
            let cut = |it: String| it.chars().take(MAX_SHOWN).collect();
            noted.examples.push(FieldExample {
                source_id,
                before: before.map(cut),
                after: after.map(cut),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::mapping::Mapping;
    use serde_json::json;

    use super::*;

    fn plan(name: &str) -> Plan {
        let mapping: Mapping = serde_json::from_value(json!({ "entity": "account", "fields": [
            { "target": "account_id", "sources": ["id"] },
            { "target": "name", "sources": [name] },
            { "target": "industry", "sources": ["branch"] },
        ] }))
        .unwrap();
        Plan::compile(&mapping).unwrap()
    }

    #[test]
    fn a_difference_counts_records_and_fields() {
        let (by_name, by_title) = (plan("name"), plan("title"));
        let mut difference = Difference::default();
        for payload in [
            r#"{"id":"1","name":"One","title":"One"}"#,
            r#"{"id":"2","name":"Two","title":"II"}"#,
            r#"{"id":"3","title":"Three"}"#,
            r#"{"id":"4","name":"Four"}"#,
            r#"{"name":"?"}"#,
        ] {
            difference.add((&by_name, &by_title), "place", payload);
        }
        let mut found = serde_json::to_value(&difference).unwrap();
        found["failures"] = json!(difference.failures.len());
        assert_eq!(
            found,
            json!({
                "records": 5, "stored": 0, "stored_at_least": false, "complete": false, "unchanged": 1, "changed": 1, "gained": 1,
                "lost": 1, "unreadable": 1, "failures": 2,
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
