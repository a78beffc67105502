//! Whether a mapping that somebody sends can work: for itself, and for what is stored of its object.
//!
//! What is in force already, and what is brought back, is not looked at again: records change, and a
//! mapping that was good stays one.

use std::collections::{BTreeMap, BTreeSet};

use mapping::{Plan, nearest};
use schema::entity::Entities;
use schema::mapping::{FieldMapping, Mapping, Otherwise, Transform};
use schema::source::{ObjectKey, SourceSchema, parse_path};
use schema::{Error, FieldError, TenantId};

use crate::db::{Connection, custom_entities, mappings, payloads, snapshots};
use crate::inference::{MAX_DEPTH, MAX_PATHS};
use crate::proposals::SAMPLE;

/// So many names or words are shown.
const SHOWN: usize = 10;

/// A mapping that can work.
#[derive(Debug)]
pub struct Checked {
    /// It, ready to run.
    pub plan: Plan,
    /// The tenant's entities.
    pub entities: Entities,
}

/// Compiles a mapping, and compares it with what is stored of the object: its newest structure,
/// and the sample of its records that proposals are made from.
///
/// # Errors
/// [`Error::Invalid`] with pointers that begin with `at`: as of [`Plan::compile`], for a source
/// field that no record has, and for a word that an `enum` or a `lookup` refuses.
pub async fn check(
    conn: &mut Connection,
    tenant: TenantId,
    object: Option<ObjectKey<'_>>,
    (at, mapping): (&'static str, &Mapping),
) -> platform::Result<Checked> {
    let entities = custom_entities::entities(conn, tenant).await?;
    let stored = match object {
        Some(object) => Stored::read(conn, tenant, object, mapping).await?,
        None => Stored::default(),
    };
    let mapping = mapping.clone();
    // Expressions take long to compile, and words are looked up a thousand times.
    let work = tokio::task::spawn_blocking(move || {
        let plan = Plan::compile_for(&entities, &mapping)?;
        stored.check(&mapping, &plan)?;
        Ok(Checked { plan, entities })
    });
    let checked: schema::Result<_> = work.await.map_err(|err| Error::Internal(err.into()))?;
    Ok(checked.map_err(|it| it.below(at))?)
}

/// What is stored of an object.
#[derive(Default)]
struct Stored {
    /// The paths of its fields; none where they are not known.
    fields: BTreeSet<String>,
    /// The sources that its mapping reads now: they may be absent from what came so far.
    read_now: BTreeSet<String>,
    /// Some of its records; none where the mapping has no table to compare them with.
    records: Vec<String>,
}

impl Stored {
    async fn read(
        conn: &mut Connection,
        tenant: TenantId,
        object: ObjectKey<'_>,
        mapping: &Mapping,
    ) -> platform::Result<Stored> {
        let mut stored = Stored::default();
        if let Some((latest, baseline)) =
            snapshots::find_latest_and_baseline(conn, tenant, object).await?
        {
            stored.fields = paths(latest.schema.0, baseline.schema.0);
        }
        if let Some((_, now)) = mappings::current(conn, tenant, object).await? {
            stored.read_now = now.fields.into_iter().flat_map(|it| it.sources).collect();
        }
        if mapping.fields.iter().any(|it| refusing_table(it).is_some()) {
            stored.records = payloads::sample(conn, tenant, object, SAMPLE).await?;
        }
        Ok(stored)
    }

    fn check(&self, mapping: &Mapping, plan: &Plan) -> schema::Result<()> {
        let mut faults = Vec::new();
        for (index, field) in mapping.fields.iter().enumerate() {
            for (place, source) in field.sources.iter().enumerate() {
                if self.lacks(source) {
                    // A name takes time to compare, and the first ones tell what went wrong.
                    let detail = match faults.len() < SHOWN {
                        true => self.no_field(source),
                        false => NO_FIELD.to_owned(),
                    };
                    let pointer = format!("/fields/{index}/sources/{place}");
                    faults.push(FieldError { pointer, detail });
                }
            }
        }
        faults.extend(self.unlisted_words(mapping, plan));
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(faults)),
        }
    }

    fn lacks(&self, source: &str) -> bool {
        // A structure that is full, and one below which nothing is looked at, prove nothing.
        let is_known = (1..MAX_PATHS).contains(&self.fields.len());
        let is_deep = || {
            let keys = parse_path(source).map_or(0, |it| it.len());
            usize::from(MAX_DEPTH) < keys
        };
        is_known && !self.fields.contains(source) && !self.read_now.contains(source) && !is_deep()
    }

    fn no_field(&self, source: &str) -> String {
        let names = || self.fields.iter().map(String::as_str);
        if let Some(nearest) = nearest(source, names()) {
            return format!("{NO_FIELD}: did you mean `{nearest}`?");
        }
        let some: Vec<_> = names().take(SHOWN).collect();
        let more = if SHOWN < self.fields.len() {
            ", …"
        } else {
            ""
        };
        format!("{NO_FIELD}: send one of {}{more}", some.join(", "))
    }

    /// One fault for each table that lacks words of the records.
    fn unlisted_words(&self, mapping: &Mapping, plan: &Plan) -> Vec<FieldError> {
        let mut by_field = BTreeMap::<_, BTreeMap<_, usize>>::new();
        for record in &self.records {
            for (field, word) in plan.unlisted_words(record) {
                *by_field.entry(field).or_default().entry(word).or_default() += 1;
            }
        }
        let fault = |(index, field): (usize, &FieldMapping)| {
            let words = by_field.get(field.target.as_str())?;
            let table = refusing_table(field)?;
            Some(FieldError {
                pointer: format!("/fields/{index}{table}"),
                detail: unlisted(words, self.records.len()),
            })
        };
        let fields = mapping.fields.iter().enumerate();
        fields.filter_map(fault).collect()
    }
}

const NO_FIELD: &str = "the object has no such field";

fn paths(latest: SourceSchema, baseline: SourceSchema) -> BTreeSet<String> {
    let both = latest.fields.into_keys().chain(baseline.fields.into_keys());
    both.filter(|it| !it.ends_with("[]")).collect()
}

/// The pointer from a field to its first table that refuses what it does not list.
fn refusing_table(field: &FieldMapping) -> Option<String> {
    let mut transforms = field.transforms.iter().enumerate();
    transforms.find_map(|(index, transform)| match transform {
        Transform::Enum {
            otherwise: Otherwise::Reject,
            ..
        } => Some(format!("/transforms/{index}/values")),
        Transform::Lookup {
            otherwise: Otherwise::Reject,
            ..
        } => Some(format!("/transforms/{index}/table")),
        _ => None,
    })
}

/// The most frequent words, with how many of the records have each.
fn unlisted(words: &BTreeMap<String, usize>, records: usize) -> String {
    let mut words: Vec<_> = words.iter().collect();
    // Stable: words of one frequency stay in their order.
    words.sort_by_key(|it| std::cmp::Reverse(it.1));
    let rows: usize = words.iter().map(|it| it.1).sum();
    let shown = words.iter().take(SHOWN);
    let shown: Vec<_> = shown
        .map(|(word, rows)| format!("{word:?} ({rows})"))
        .collect();
    let more = words.len().saturating_sub(SHOWN);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "lacks words that {rows} of {records} stored records have: {}{more}. Add them, or set \
         `otherwise` to `null` or `keep`",
        shown.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use schema::source::SourceField;
    use serde_json::{Value, json};

    use super::*;

    fn stored(fields: &[&str], records: &[Value]) -> Stored {
        Stored {
            fields: fields.iter().map(|it| (*it).to_owned()).collect(),
            read_now: BTreeSet::from(["old".to_owned()]),
            records: records.iter().map(Value::to_string).collect(),
        }
    }

    /// What is wrong with an account whose type is made like this.
    #[track_caller]
    fn check(stored: &Stored, kind: Value, expected: &str) {
        let mapping = json!({ "entity": "account", "fields": [
            { "target": "account_id", "sources": ["id"] },
            { "target": "name", "sources": ["name"] },
            kind,
        ] });
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let plan = Plan::compile(&mapping).unwrap();
        let found = stored.check(&mapping, &plan);
        let found = found.map_or_else(|it| it.to_string(), |()| "sound".to_owned());
        assert_eq!(found, expected);
    }

    fn reads(source: &str) -> Value {
        json!({ "target": "type", "sources": [source] })
    }

    #[test]
    fn a_source_field_is_there_or_the_nearest_is_suggested() {
        let stored = stored(&["id", "name", "Kind", "a", "a.b"], &[]);
        for there in ["Kind", "a", "a.b", "old", "a.b.c.d.e.f.g.h.i"] {
            check(&stored, reads(there), "sound");
        }
        check(
            &stored,
            reads("kind"),
            "/fields/2/sources/0: the object has no such field: did you mean `Kind`?",
        );
        check(
            &stored,
            reads("x"),
            "/fields/2/sources/0: the object has no such field: send one of Kind, a, a.b, id, name",
        );
        check(&Stored::default(), reads("x"), "sound");
    }

    #[test]
    fn the_elements_of_a_list_are_no_field() {
        let schema = |paths: &[&str]| SourceSchema {
            fields: paths
                .iter()
                .map(|it| ((*it).to_owned(), SourceField::default()))
                .collect(),
        };
        assert_eq!(
            paths(schema(&["a", "a[]"]), schema(&["b"])),
            BTreeSet::from(["a".to_owned(), "b".to_owned()])
        );
    }

    #[test]
    fn a_table_lists_the_words_that_stored_records_have() {
        let record = |word: String| json!({ "id": "1", "name": "n", "Kind": word });
        let mut records: Vec<_> = (0..11).map(|it| record(format!("w{it:02}"))).collect();
        records.extend([record("Kunde".to_owned()), record("w10".to_owned())]);
        records.push(json!({ "name": "without an id", "Kind": "w10" }));
        let stored = stored(&["id", "name", "Kind"], &records);
        let table = |kind: &str, member: &str, otherwise: &str| {
            json!({ "target": "type", "sources": ["Kind"], "transforms": [
                { "kind": "trim" },
                { "kind": kind, member: { "Kunde": "customer" }, "otherwise": otherwise },
            ] })
        };
        let sentence = "lacks words that 13 of 14 stored records have: \"w10\" (3), \"w00\" (1), \
             \"w01\" (1), \"w02\" (1), \"w03\" (1), \"w04\" (1), \"w05\" (1), \"w06\" (1), \
             \"w07\" (1), \"w08\" (1) and 1 more. Add them, or set `otherwise` to `null` or `keep`";
        for (kind, member) in [("enum", "values"), ("lookup", "table")] {
            let expected = format!("/fields/2/transforms/1/{member}: {sentence}");
            check(&stored, table(kind, member, "reject"), &expected);
            check(&stored, table(kind, member, "null"), "sound");
            check(&stored, table(kind, member, "keep"), "sound");
        }
    }
}
