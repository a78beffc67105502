//! Which fields may identify a record.

use std::collections::HashSet;

use schema::source::SourceType;

use super::implied::Implied;
use super::normal_form::concepts;
use super::path_of_name::NameParts;
use super::sample::{FieldSample, ObjectSample, readable};

/// Fields that may identify a record.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct KeyCandidate {
    /// One path, or two.
    pub paths: Vec<String>,
    /// Sampled records.
    pub rows: u64,
    /// Those of them that another one shares the key with.
    pub collisions: u64,
    /// Why it is proposed, as a sentence.
    pub reason: String,
}

/// Most candidates that are named.
const MOST: usize = 5;
/// Fields of which pairs are tried.
const PAIRED: usize = 8;

/// The candidates, the best first: fields with a value in every sampled record and none twice,
/// those that are called an id first. Where there is none, pairs of fields; where there is none
/// either, the field called an id with the fewest collisions.
pub(super) fn candidates(object: &ObjectSample) -> Vec<KeyCandidate> {
    let full = |it: &&FieldSample| it.nulls == 0 && it.rows > 0 && is_plain(it);
    let mut fields: Vec<_> = object.fields.iter().filter(full).collect();
    // The sort is stable: among equals the source's order counts.
    fields.sort_by_key(|it| rank(it));
    let single = |it: &&FieldSample| KeyCandidate {
        paths: vec![it.path.clone()],
        rows: it.rows,
        collisions: it.rows.saturating_sub(distinct(it)),
        reason: reason(it),
    };
    let (unique, others): (Vec<_>, Vec<_>) =
        fields.iter().map(single).partition(|it| it.collisions == 0);
    let mut found = unique;
    if found.is_empty() {
        found = pairs(&fields);
    }
    if found.is_empty() {
        let mut named: Vec<_> = others;
        named.truncate(fields.iter().filter(|it| rank(it) == 0).count());
        named.sort_by_key(|it| it.collisions);
        found = named;
    }
    found.truncate(MOST);
    found
}

/// Puts the field first that feeds the entity's own id, if it may identify a record.
pub(super) fn prefer(candidates: &mut [KeyCandidate], path: &str) {
    let at = candidates
        .iter()
        .position(|it| it.paths == [path] && it.collisions == 0);
    if let Some(at) = at {
        candidates[..=at].rotate_right(1);
    }
}

/// What can be compared as text without loss.
fn is_plain(field: &FieldSample) -> bool {
    use SourceType::*;
    !matches!(field.kind, Some(Array | Boolean | Decimal | Object)) && !field.path.contains("[]")
}

/// 0 for what is called an id, 1 for an address, 2 for a date, 3 for the rest that may do.
fn rank(field: &FieldSample) -> u8 {
    let last = concepts(&NameParts::of(&readable(&field.path)).last);
    let last: Vec<_> = last.iter().map(String::as_str).collect();
    match Implied::by(&last, field.kind) {
        Some(Implied::Id) => 0,
        Some(Implied::Email) => 1,
        Some(Implied::Date) => 2,
        _ if matches!(last.last(), Some(&"number" | &"code" | &"arn")) => 1,
        _ => 3,
    }
}

fn distinct(field: &FieldSample) -> u64 {
    field.distinct.unwrap_or_else(|| {
        let distinct: HashSet<_> = field.samples.iter().collect();
        // What was not sampled is not known to be unique.
        if field.samples.len() as u64 == field.rows {
            distinct.len() as u64
        } else {
            (distinct.len() as u64).min(field.rows.saturating_sub(1))
        }
    })
}

fn pairs(fields: &[&FieldSample]) -> Vec<KeyCandidate> {
    let sampled = |it: &&&FieldSample| it.samples.len() as u64 == it.rows;
    let fields: Vec<_> = fields.iter().filter(sampled).take(PAIRED).collect();
    let mut found = Vec::new();
    for (at, first) in fields.iter().enumerate() {
        for second in &fields[at + 1..] {
            let both = first.samples.iter().zip(&second.samples);
            let distinct = both.collect::<HashSet<_>>().len() as u64;
            if first.rows == second.rows && distinct == first.rows {
                found.push(KeyCandidate {
                    paths: vec![first.path.clone(), second.path.clone()],
                    rows: first.rows,
                    collisions: 0,
                    reason: "Neither is unique alone; together no two records share them."
                        .to_owned(),
                });
            }
        }
    }
    found
}

fn reason(field: &FieldSample) -> String {
    let name = match rank(field) {
        0 => "It is called an id",
        1 => "Its name suggests that it identifies something",
        _ => "Its name does not say that it is an id",
    };
    match field.rows.saturating_sub(distinct(field)) {
        0 => format!(
            "{name}, and no two of {} records share a value.",
            field.rows
        ),
        some => format!(
            "{name}, but {some} of {} records share a value.",
            field.rows
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(path: &str, samples: &[&str]) -> FieldSample {
        FieldSample {
            path: path.to_owned(),
            samples: samples.iter().map(|it| (*it).to_owned()).collect(),
            rows: samples.len() as u64,
            ..FieldSample::default()
        }
    }

    #[track_caller]
    fn check(fields: Vec<FieldSample>, want: &[&[&str]]) {
        let object = ObjectSample {
            fields,
            ..ObjectSample::default()
        };
        let got: Vec<_> = candidates(&object).into_iter().map(|it| it.paths).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn a_unique_field_called_an_id_comes_first() {
        let name = field("Name", &["a", "b", "c"]);
        let id = field("Record ID", &["1", "2", "3"]);
        let city = field("City", &["x", "x", "y"]);
        check(vec![city, name, id], &[&["Record ID"], &["Name"]]);
    }

    #[test]
    fn what_feeds_the_entitys_id_comes_first() {
        let object = ObjectSample {
            fields: vec![
                field("Parent ID", &["1", "2"]),
                field("Number", &["3", "4"]),
            ],
            ..ObjectSample::default()
        };
        let mut found = candidates(&object);
        prefer(&mut found, "Number");
        let paths: Vec<_> = found.iter().map(|it| it.paths[0].as_str()).collect();
        assert_eq!(paths, ["Number", "Parent ID"]);
        prefer(&mut found, "no such field");
        assert_eq!(found[0].paths, ["Number"]);
    }

    #[test]
    fn two_fields_are_a_key_where_none_is_alone() {
        let order = field("Order ID", &["1", "1", "2"]);
        let line = field("Line", &["1", "2", "1"]);
        let sum = field("City", &["x", "x", "x"]);
        check(vec![order, line, sum], &[&["Order ID", "Line"]]);
    }

    #[test]
    fn a_field_with_nulls_or_unknown_values_is_no_key() {
        let mut nulls = field("id", &["1", "2"]);
        (nulls.rows, nulls.nulls) = (3, 1);
        let mut unknown = field("code", &["1", "2"]);
        unknown.rows = 100;
        check(vec![nulls, unknown], &[]);
    }

    #[test]
    fn without_any_key_the_colliding_id_is_named() {
        let id = field("Id", &["1", "1", "1"]);
        let city = field("City", &["x", "x", "x"]);
        check(vec![city, id], &[&["Id"]]);
    }
}
