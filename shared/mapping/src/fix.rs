//! Proposing how quarantined records could be let in.
//!
//! **Invariant:** a proposal says what was seen in the given records and no more; nothing is changed
//! by it.

use std::collections::{BTreeSet, HashSet};

use schema::Entity;
use schema::entity::{Entities, Field, Kind};
use schema::format::FormatKind;
use schema::mapping::{FieldMapping, Mapping, Transform};
use schema::quarantine::Fix;
use schema::source::parse_path;
use serde_json::{Map, Value};

use crate::Plan;
use crate::coerce::NO_WORD;
use crate::formats::{ColumnProfile, transforms_for};
use crate::matcher::is_descriptive;
use crate::reason::quoted_value;
use crate::transforms::enumeration::UNLISTED;

/// Longest text that a canonical field takes, in bytes.
pub const MAX_TEXT: usize = 2048;
/// Of a record so many fields are looked at.
const MAX_NAMES: usize = 2_000;
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

/// A mapping, and some of the records that it lets in: a fix must leave them as they are.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// The tenant's entities.
    pub entities: &'a Entities,
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Stored records of the object, as JSON text.
    pub stored: &'a [String],
}

/// What in the mapping or at the source would let these records in; the best first.
pub fn propose(entity: &Entity, present: Present<'_>, misfits: &Misfits<'_>) -> Vec<Fix> {
    let field = misfits.field;
    let mapping = present.mapping;
    let Some(reason) = misfits.reasons.first() else {
        return vec![];
    };
    let line = mapping.fields.iter().find(|it| it.target == field.name);
    let fix = if *reason == "missing" {
        let unread = Unread::of(&misfits.payloads, reads(mapping));
        if entity.key.contains(&field.name) {
            let by_content = line.and_then(|it| key_by_content(present, misfits, it));
            return unread.key().into_iter().chain(by_content).collect();
        }
        unread.field(field)
    } else if reason.starts_with("is longer than") {
        let most_bytes = MAX_TEXT;
        Some(Fix::ShortenValues { most_bytes })
    } else {
        let values = misfits.reasons.iter().filter_map(|it| quoted_value(it));
        let values: BTreeSet<_> = values.collect();
        let lists_words = reason.contains(UNLISTED);
        match line {
            _ if values.is_empty() => None,
            Some(line) if lists_words && has_enum(line) => {
                let with = with_words(line, &values);
                let entry = Some(with).filter(|it| present.lets_in(it, misfits));
                let words = values.into_iter().take(SHOWN).collect();
                Some(Fix::AddEnumWords { words, entry })
            }
            _ if reason.contains(NO_WORD) => Some(Fix::AddFieldWords {
                entity: entity.kind.to_string(),
                words: values.iter().take(SHOWN).cloned().collect(),
                all: field.words.iter().cloned().chain(values).collect(),
            }),
            line => format_fix(present, misfits, line, values),
        }
    };
    Vec::from_iter(fix)
}

/// Which other fields could identify records, two of which cannot be one: those of a group, as JSON
/// text.
pub fn propose_key(entity: &Entity, present: Present<'_>, collided: &[&str]) -> Vec<Fix> {
    let is_key = |it: &&FieldMapping| entity.key.iter().any(|key| *key == it.target);
    let key = present.mapping.fields.iter().filter(is_key);
    let key = key.flat_map(|it| &it.sources).map(String::as_str);
    let stored = present.stored.iter().map(String::as_str);
    // A record that is stored may be in the group as well.
    let records: BTreeSet<_> = collided.iter().copied().chain(stored).collect();
    let records: Vec<_> = records.into_iter().collect();
    Vec::from_iter(Unread::of(&records, key.collect()).key())
}

/// The key's entry with the content of a record for its key, where it has none.
fn key_by_content(present: Present<'_>, misfits: &Misfits<'_>, line: &FieldMapping) -> Option<Fix> {
    let mut entry = line.clone();
    entry.transforms.insert(0, Transform::ContentHash {});
    let fits = present.lets_in(&entry, misfits);
    fits.then_some(Fix::KeyByContent { entry })
}

fn reads(mapping: &Mapping) -> HashSet<&str> {
    let sources = mapping.fields.iter().flat_map(|it| &it.sources);
    sources.map(String::as_str).collect()
}

/// What to do about values that are not written as the field's type is.
fn format_fix(
    present: Present<'_>,
    misfits: &Misfits<'_>,
    line: Option<&FieldMapping>,
    values: BTreeSet<String>,
) -> Option<Fix> {
    let expected = match misfits.field.kind {
        Kind::Text | Kind::TextList => return None,
        Kind::Integer => "integer",
        Kind::Decimal => "decimal",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Timestamp => "timestamp",
    };
    let entry = line.and_then(|line| {
        let entries = with_format(line, misfits);
        entries.into_iter().find(|it| present.lets_in(it, misfits))
    });
    Some(Fix::DeclareFormat {
        expected: expected.to_owned(),
        values: values.into_iter().take(SHOWN).collect(),
        entry,
    })
}

/// The entry with the format that the values of the records have, in the ways in which it can be
/// declared beside what the entry declares already; none where the values leave a question.
fn with_format(line: &FieldMapping, misfits: &Misfits<'_>) -> Vec<FieldMapping> {
    let mut column = ColumnProfile::new(line.sources.first().map_or("", String::as_str));
    for payload in &misfits.payloads {
        if let Ok(record) = serde_json::from_str(payload)
            && let Some(value) = line.sources.iter().find_map(|it| text_at(&record, it))
        {
            column.observe(&value);
        }
    }
    let format = column.finish();
    if !format.questions.is_empty() {
        return vec![];
    }
    let found = transforms_for(&format.transforms, misfits.field.kind);
    let with = |transforms: Vec<Transform>| FieldMapping {
        transforms,
        ..line.clone()
    };
    let mut entries = vec![with(
        line.transforms.iter().chain(&found).cloned().collect(),
    )];
    // What had no declared format was ISO 8601, and stays readable.
    let mut declared = line.transforms.clone();
    let has_date = declared
        .iter()
        .any(|it| matches!(it, Transform::Date { .. }));
    if !has_date {
        declared.push(Transform::Date {
            formats: vec!["ISO".to_owned()],
            zone: None,
            pivot: None,
        });
    }
    entries.extend(with_dates(declared, &found).map(with));
    entries
}

/// These transforms, of which one reads dates, reading the found formats too.
fn with_dates(mut declared: Vec<Transform>, found: &[Transform]) -> Option<Vec<Transform>> {
    let is_date = |it: &Transform| matches!(it, Transform::Date { .. });
    let at = declared.iter().position(is_date)?;
    let found_at = found.iter().position(is_date)?;
    let (
        Transform::Date { formats, pivot, .. },
        Transform::Date {
            formats: more,
            pivot: of_more,
            ..
        },
    ) = (&mut declared[at], &found[found_at])
    else {
        return None;
    };
    let more = more.iter().filter(|it| !formats.contains(it)).cloned();
    let more: Vec<_> = more.collect();
    formats.extend(more);
    *pivot = pivot.or(*of_more);
    // Words for no value come before what reads dates.
    declared.splice(at..at, found[..found_at].iter().cloned());
    Some(declared)
}

/// The entry with these words in its first `enum`, each standing for itself.
fn with_words(line: &FieldMapping, words: &BTreeSet<String>) -> FieldMapping {
    let mut line = line.clone();
    let mut enums = line.transforms.iter_mut().filter_map(|it| match it {
        Transform::Enum { values, .. } => Some(values),
        _ => None,
    });
    if let Some(values) = enums.next() {
        let own = words
            .iter()
            .map(|it| (it.trim().to_owned(), it.trim().to_owned()));
        values.extend(own);
    }
    line
}

fn has_enum(line: &FieldMapping) -> bool {
    let is_enum = |it: &Transform| matches!(it, Transform::Enum { .. });
    line.transforms.iter().any(is_enum)
}

impl Present<'_> {
    /// Whether the field of the misfits can be read with that entry, and is in the stored records
    /// what it is now.
    fn lets_in(self, entry: &FieldMapping, misfits: &Misfits<'_>) -> bool {
        let mut mapping = self.mapping.clone();
        for field in &mut mapping.fields {
            if field.target == entry.target {
                field.clone_from(entry);
            }
        }
        let compiled = |it| Plan::compile_for(self.entities, it);
        let (Ok(now), Ok(then)) = (compiled(self.mapping), compiled(&mapping)) else {
            return false;
        };
        let name = misfits.field.name.as_ref();
        let fits = |payload: &&str| match then.canonicalise(payload) {
            Ok(_) => true,
            // Fields are read in their order: one behind this one is the next group's.
            Err(error) => error.field.as_deref() != Some(name),
        };
        let stays = |payload: &String| match now.canonicalise(payload) {
            Err(_) => true,
            Ok(record) => {
                let with = then.canonicalise(payload);
                with.is_ok_and(|it| it.cell(name) == record.cell(name))
            }
        };
        misfits.payloads.iter().all(fits) && self.stored.iter().all(stays)
    }
}

/// The text of the single value at a path of a record; none where there is none, or it is empty.
pub fn text_at(record: &Value, path: &str) -> Option<String> {
    let keys = parse_path(path).ok()?;
    let value = keys.iter().try_fold(record, |it, key| it.get(key));
    text_of(value?)
}

/// The text of a single value that is not empty.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|it| !it.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The fields that records have, without those that are read.
struct Unread {
    records: Vec<Map<String, Value>>,
    names: Vec<String>,
}

impl Unread {
    fn of(payloads: &[&str], read: HashSet<&str>) -> Unread {
        let records = payloads.iter().map(|it| serde_json::from_str(it));
        let records: Vec<Map<String, Value>> = records.filter_map(Result::ok).collect();
        let names = records.first().into_iter().flat_map(Map::keys);
        let names = names.filter(|it| !read.contains(path(it).as_str()));
        let names = names.take(MAX_NAMES).cloned().collect();
        Unread { records, names }
    }

    /// Of one record each field is unique, which says nothing.
    fn key(&self) -> Option<Fix> {
        if self.records.len() < 2 {
            return None;
        }
        // What is called an amount or a name, or has a fraction, is unique by chance.
        let identifies = |it: &&String| !is_descriptive(it) && !is_measure(self.format(it));
        let unique = self.names.iter().filter(|it| self.is_unique(it));
        let mut candidates: Vec<_> = unique.filter(identifies).collect();
        // Stable: fields that are called so first, in the records' order.
        candidates.sort_by_key(|it| !looks_like_key(it));
        self.fix(candidates, |candidates, records| Fix::UseKey {
            candidates,
            records,
        })
    }

    fn field(&self, field: &Field) -> Option<Fix> {
        let has_value = |name: &&String| self.values(name).all(|it| it.is_some());
        let may_be = |it: &&String| match self.format(it) {
            _ if field.kind != Kind::Text => true,
            FormatKind::Country => field.name.contains("country"),
            FormatKind::Boolean => false,
            other => !is_measure(other),
        };
        let filled = self.names.iter().filter(has_value);
        let mut candidates: Vec<_> = filled.filter(may_be).collect();
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

    fn format(&self, name: &str) -> FormatKind {
        let mut column = ColumnProfile::new(name);
        let values = self.values(name).flatten();
        values.for_each(|it| column.observe(&it));
        column.finish().kind
    }

    fn is_unique(&self, name: &str) -> bool {
        let mut seen = HashSet::new();
        self.values(name)
            .all(|it| it.is_some_and(|it| seen.insert(it)))
    }

    /// The text of the field in each record, where it is a single value.
    fn values(&self, name: &str) -> impl Iterator<Item = Option<String>> {
        self.records.iter().map(move |it| text_of(it.get(name)?))
    }
}

/// Whether values of that kind say how much or when, and neither which nor what.
fn is_measure(kind: FormatKind) -> bool {
    use FormatKind::{Date, Decimal, Money, Percent, Quantity, Timestamp};
    matches!(
        kind,
        Date | Decimal | Money | Percent | Quantity | Timestamp
    )
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
mod tests;
