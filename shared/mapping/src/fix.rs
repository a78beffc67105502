//! Proposing how quarantined records could be let in.
//!
//! **Invariant:** a proposal says what was seen in the given records and no more; nothing is changed
//! by it.

use std::collections::{BTreeSet, HashSet};

use schema::Entity;
use schema::entity::{Field, Kind};
use schema::mapping::{FieldMapping, Mapping, Transform};
use schema::quarantine::Fix;
use serde_json::{Map, Value};

use crate::reason::quoted_value;

/// Longest text that a canonical field takes, in bytes.
pub const MAX_TEXT: usize = 2048;
/// Most values, words or fields in a proposal.
const SHOWN: usize = 10;

/// Records that were rejected for one reason, or some of them.
#[derive(Debug)]
pub struct Misfits<'a> {
    /// The canonical field that is wrong.
    pub field: &'a Field,
    /// The reason of each.
    pub reasons: Vec<&'a str>,
    /// The payload of each, as JSON text.
    pub payloads: Vec<&'a str>,
}

/// What in the mapping or at the source would let these records in; the best first.
pub fn propose(entity: &Entity, mapping: &Mapping, misfits: &Misfits<'_>) -> Vec<Fix> {
    let field = misfits.field;
    let Some(reason) = misfits.reasons.first() else {
        return vec![];
    };
    let line = mapping.fields.iter().find(|it| it.target == field.name);
    let fix = if *reason == "missing" {
        let unread = Unread::of(mapping, &misfits.payloads);
        match entity.key.contains(&field.name) {
            true => unread.key(),
            false => unread.field(field),
        }
    } else if reason.starts_with("is longer than") {
        let most_bytes = MAX_TEXT;
        Some(Fix::ShortenValues { most_bytes })
    } else {
        let values: BTreeSet<_> = misfits
            .reasons
            .iter()
            .filter_map(|it| quoted_value(it))
            .collect();
        let values: Vec<_> = values.into_iter().take(SHOWN).collect();
        let lists_words = reason.contains("is not one of the values that the mapping lists");
        match line {
            _ if values.is_empty() => None,
            Some(line) if lists_words && has_enum(line) => {
                Some(Fix::AddEnumWords { words: values })
            }
            _ => format_fix(field, values),
        }
    };
    Vec::from_iter(fix)
}

/// What to do about values that are not written as the field's type is: the place where a format
/// that all of them have is to be proposed.
fn format_fix(field: &Field, values: Vec<String>) -> Option<Fix> {
    let expected = match field.kind {
        Kind::Text | Kind::TextList => return None,
        Kind::Integer => "integer",
        Kind::Decimal => "decimal",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Timestamp => "timestamp",
    };
    Some(Fix::DeclareFormat {
        expected: expected.to_owned(),
        values,
    })
}

fn has_enum(line: &FieldMapping) -> bool {
    let is_enum = |it: &Transform| matches!(it, Transform::Enum { .. });
    line.transforms.iter().any(is_enum)
}

/// The fields that records have and that their mapping does not read.
struct Unread {
    records: Vec<Map<String, Value>>,
    names: Vec<String>,
}

impl Unread {
    fn of(mapping: &Mapping, payloads: &[&str]) -> Unread {
        let records = payloads.iter().map(|it| serde_json::from_str(it));
        let records: Vec<Map<String, Value>> = records.filter_map(Result::ok).collect();
        let read: HashSet<_> = mapping.fields.iter().flat_map(|it| &it.sources).collect();
        let names = records.first().into_iter().flat_map(Map::keys);
        let names = names.filter(|it| !read.contains(&path(it)));
        let names = names.cloned().collect();
        Unread { records, names }
    }

    /// Of one record each field is unique, which says nothing.
    fn key(&self) -> Option<Fix> {
        if self.records.len() < 2 {
            return None;
        }
        let mut candidates: Vec<_> = self.names.iter().filter(|it| self.is_unique(it)).collect();
        // Stable: fields that are called so first, in the records' order.
        candidates.sort_by_key(|it| !looks_like_key(it));
        self.fix(candidates, |candidates, records| Fix::UseKey {
            candidates,
            records,
        })
    }

    fn field(&self, field: &Field) -> Option<Fix> {
        let has_value = |name: &&String| self.values(name).all(|it| it.is_some());
        let mut candidates: Vec<_> = self.names.iter().filter(has_value).collect();
        candidates.sort_by_key(|it| !it.to_lowercase().contains(&*field.name));
        self.fix(candidates, |candidates, records| Fix::UseField {
            candidates,
            records,
        })
    }

    fn fix(&self, candidates: Vec<&String>, fix: fn(Vec<String>, usize) -> Fix) -> Option<Fix> {
        let candidates: Vec<_> = candidates
            .into_iter()
            .map(|it| path(it))
            .take(SHOWN)
            .collect();
        (!candidates.is_empty()).then(|| fix(candidates, self.records.len()))
    }

    fn is_unique(&self, name: &str) -> bool {
        let mut seen = HashSet::new();
        self.values(name)
            .all(|it| it.is_some_and(|it| seen.insert(it)))
    }

    /// The text of the field in each record, where it is a single value.
    fn values(&self, name: &str) -> impl Iterator<Item = Option<String>> {
        self.records.iter().map(move |it| match it.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|it| !it.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }
}

fn looks_like_key(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = ["id", "key", "no", "nr", "number", "code", "uuid"];
    let mut parts = name.split(|it: char| !it.is_alphanumeric());
    parts.any(|it| words.contains(&it)) || name.ends_with("id")
}

/// A key as a path of the mapping language.
fn path(key: &str) -> String {
    key.replace('\\', r"\\").replace('.', r"\.")
}

#[cfg(test)]
mod tests {
    use schema::entity;
    use serde_json::json;

    use super::*;
    use crate::Plan;

    /// What is proposed for these records of an account, all of which the mapping rejects alike.
    #[track_caller]
    fn check(mapping: Value, payloads: &[Value], expected: Value) {
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let plan = Plan::compile(&mapping).unwrap();
        let payloads: Vec<_> = payloads.iter().map(Value::to_string).collect();
        let rejects = payloads.iter().map(|it| plan.canonicalise(it).unwrap_err());
        let rejects: Vec<_> = rejects.collect();
        let account = entity::find("account").unwrap();
        let misfits = Misfits {
            field: account.field(rejects[0].field.as_ref().unwrap()).unwrap(),
            reasons: rejects.iter().map(|it| it.reason.as_str()).collect(),
            payloads: payloads.iter().map(String::as_str).collect(),
        };
        let found = propose(account, &mapping, &misfits);
        assert_eq!(serde_json::to_value(found).unwrap(), expected);
    }

    fn mapping(target: &str, transforms: Value) -> Value {
        let mut fields = vec![
            json!({ "target": "account_id", "sources": ["account_id"] }),
            json!({ "target": "name", "sources": ["name"] }),
        ];
        if !["account_id", "name"].contains(&target) {
            fields.push(json!({ "target": target, "sources": ["x"], "transforms": transforms }));
        }
        json!({ "entity": "account", "fields": fields })
    }

    #[test]
    fn a_missing_key_may_be_a_field_that_is_unique() {
        let record = |id: Value, no: u32| json!({ "a.b": no, "Record ID": id, "name": format!("n{no}"), "city": "Bern", "none": null });
        check(
            mapping("account_id", json!([])),
            &[record(json!("7"), 1), record(json!("8"), 2)],
            json!([{ "kind": "use_key", "candidates": ["Record ID", r"a\.b"], "records": 2 }]),
        );
        let twice = [record(json!("7"), 1), record(json!("7"), 1)];
        check(mapping("account_id", json!([])), &twice, json!([]));
        check(mapping("account_id", json!([])), &twice[..1], json!([]));
    }

    #[test]
    fn a_missing_field_may_be_another_that_always_has_a_value() {
        let record = |title: &str| json!({ "account_id": "1", "title": title, "Full name": "x" });
        check(
            mapping("name", json!([])),
            &[record("a"), record("a")],
            json!([{ "kind": "use_field", "candidates": ["Full name", "title"], "records": 2 }]),
        );
        check(
            mapping("name", json!([])),
            &[record("a"), record("")],
            json!([{ "kind": "use_field", "candidates": ["Full name"], "records": 2 }]),
        );
    }

    #[test]
    fn words_that_a_mapping_does_not_list_may_be_added() {
        let words =
            json!([{ "kind": "enum", "values": { "Kunde": "customer" }, "otherwise": "reject" }]);
        let record = |word: &str| json!({ "account_id": "1", "name": "n", "x": word });
        check(
            mapping("type", words),
            &[record("Partner"), record("Lead"), record("Partner")],
            json!([{ "kind": "add_enum_words", "words": ["Lead", "Partner"] }]),
        );
    }

    #[test]
    fn values_of_another_format_are_shown() {
        let record = |value: &str| json!({ "account_id": "1", "name": "n", "x": value });
        check(
            mapping("updated_at", json!([])),
            &[record("31/01/2024"), record("n/a"), record("n/a")],
            json!([{
                "kind": "declare_format", "expected": "timestamp", "values": ["31/01/2024", "n/a"],
            }]),
        );
    }
}
