//! Which fields may identify a record.

use std::collections::HashSet;

use schema::source::SourceType;

use super::implied::Implied;
use super::normal_form::concepts;
use super::path_of_name::NameParts;
use super::sample::{FieldSample, ObjectSample, readable};

/// How often some fields together have a value, and the same one twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCount {
    /// One path, or two.
    pub paths: Vec<String>,
    /// Records that were counted.
    pub rows: u64,
    /// Those of them without a value.
    pub empty: u64,
    /// Those of them with the value of an earlier one.
    pub collisions: u64,
}

/// Fields that may identify a record.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct KeyCandidate {
    /// One path, or two.
    pub paths: Vec<String>,
    /// Records that were counted.
    pub rows: u64,
    /// Those of them with the value of an earlier one.
    pub collisions: u64,
    /// Those of them without a value.
    pub empty: u64,
    /// Whether it is called a name, an amount, a date or the like: two records may have the same
    /// tomorrow.
    pub descriptive: bool,
    /// Why it is proposed, as a sentence.
    pub reason: String,
}

/// Fields that are counted.
const COUNTED: usize = 16;
/// Fields of which pairs are counted.
const PAIRED: usize = 6;
/// Most unique candidates that are named, and most others.
const MOST: usize = 5;

impl KeyCount {
    fn faults(&self) -> u64 {
        self.collisions + self.empty
    }

    fn is_unique(&self) -> bool {
        self.rows > 0 && self.faults() == 0
    }
}

impl KeyCandidate {
    /// Whether every record that was counted has it, and none shares it.
    pub fn is_unique(&self) -> bool {
        self.rows > 0 && self.collisions == 0 && self.empty == 0
    }
}

/// The fields that may be a key or a part of one, the best first, as the sample shows them.
pub fn key_fields(object: &ObjectSample) -> Vec<KeyCount> {
    let plain = object.fields.iter().filter(|it| is_plain(it));
    let mut fields: Vec<_> = plain.map(|it| (rank(it), count(it))).collect();
    // The sort is stable: among equals the source's order counts.
    fields.sort_by_key(|it| (it.0, it.1.faults()));
    fields.truncate(COUNTED);
    fields.into_iter().map(|it| it.1).collect()
}

/// The pairs that may be a key where none of these fields is one; none otherwise.
pub fn key_pairs(counts: &[KeyCount]) -> Vec<[&str; 2]> {
    if counts.iter().any(KeyCount::is_unique) {
        return Vec::new();
    }
    // What has one value throughout tells nothing apart.
    let telling = |it: &&KeyCount| it.faults() + 1 < it.rows && it.paths.len() == 1;
    let fields: Vec<_> = counts.iter().filter(telling).take(PAIRED).collect();
    let mut pairs = Vec::new();
    for (at, first) in fields.iter().enumerate() {
        for second in &fields[at + 1..] {
            pairs.push([first.paths[0].as_str(), second.paths[0].as_str()]);
        }
    }
    pairs
}

/// The candidates of the sample itself.
pub(super) fn of_sample(object: &ObjectSample) -> Vec<KeyCandidate> {
    let mut counts = key_fields(object);
    let field = |path: &str| object.fields.iter().find(|it| it.path == path);
    let pairs = key_pairs(&counts).into_iter();
    let pairs = pairs.filter_map(|it| count_pair(field(it[0])?, field(it[1])?));
    let pairs: Vec<_> = pairs.collect();
    counts.extend(pairs);
    candidates(object, counts)
}

/// The candidates, the best first: what every record has and none shares, with what is called an
/// id first; then what is called an id, or nearly is unique, with the fewest faults first; behind
/// all of them what describes a record, which is unique by chance.
pub(super) fn candidates(object: &ObjectSample, counts: Vec<KeyCount>) -> Vec<KeyCandidate> {
    let rank_of = |paths: &[String]| {
        let fields = object.fields.iter().filter(|it| paths.contains(&it.path));
        fields.map(rank).max().unwrap_or(DESCRIPTIVE)
    };
    let ranked = counts.into_iter().map(|it| (rank_of(&it.paths), it));
    let (mut unique, mut others): (Vec<_>, Vec<_>) = ranked.partition(|it| it.1.is_unique());
    unique.sort_by_key(|it| it.0);
    unique.truncate(MOST);
    others.retain(|it| it.0 == ID || it.1.paths.len() == 1 && it.1.faults() * 2 < it.1.rows);
    others.sort_by_key(|it| (it.0.min(ID + 1), it.1.faults()));
    others.truncate(MOST);
    others.sort_by_key(|it| it.1.faults());
    let mut all: Vec<_> = unique.into_iter().chain(others).collect();
    all.sort_by_key(|it| it.0 == DESCRIPTIVE);
    let all = all.into_iter();
    all.map(|(rank, it)| KeyCandidate {
        reason: reason(rank, &it),
        descriptive: rank == DESCRIPTIVE,
        paths: it.paths,
        rows: it.rows,
        collisions: it.collisions,
        empty: it.empty,
    })
    .collect()
}

/// Puts the field first that feeds the entity's own id, if it may identify a record.
pub(super) fn prefer(candidates: &mut [KeyCandidate], path: &str) {
    let at = candidates
        .iter()
        .position(|it| it.paths == [path] && it.is_unique());
    if let Some(at) = at {
        candidates[..=at].rotate_right(1);
    }
}

/// What can be compared as text without loss.
fn is_plain(field: &FieldSample) -> bool {
    use SourceType::*;
    !matches!(field.kind, Some(Array | Boolean | Decimal | Object)) && !field.path.contains("[]")
}

/// What is called an id.
const ID: u8 = 0;
/// What is called an address, a number or a code.
const CODE: u8 = 1;
/// What may do, for all that its name says.
const UNKNOWN: u8 = 2;
/// What is called a name, an amount, a date or the like.
const DESCRIPTIVE: u8 = 3;

/// Whether a field of that path is called a name, an amount, a date or the like, which two records
/// may share.
pub fn is_descriptive(path: &str) -> bool {
    let field = FieldSample {
        path: path.to_owned(),
        ..FieldSample::default()
    };
    rank(&field) == DESCRIPTIVE
}

fn rank(field: &FieldSample) -> u8 {
    const NAMES: [&str; 18] = [
        "name", "title", "amount", "city", "label", "subject", "owner", "industry", "turnover",
        "revenue", "price", "cost", "total", "sum", "salary", "budget", "balance", "quantity",
    ];
    let last = concepts(&NameParts::of(&readable(&field.path)).last);
    let last: Vec<_> = last.iter().map(String::as_str).collect();
    let of_values = Implied::by(&last, field.kind);
    match Implied::by(&last, None) {
        _ if of_values == Some(Implied::Date) => DESCRIPTIVE,
        Some(Implied::Id) => ID,
        Some(Implied::Email) => CODE,
        _ if matches!(last.last(), Some(&"number" | &"code" | &"arn")) => CODE,
        Some(Implied::Url) => UNKNOWN,
        Some(_) => DESCRIPTIVE,
        None if last.last().is_some_and(|it| NAMES.contains(it)) => DESCRIPTIVE,
        // As it is written: concepts are stems.
        None if NAMES.contains(&&*written(&field.path)) => DESCRIPTIVE,
        None => UNKNOWN,
    }
}

/// The last word of a name in small letters.
fn written(path: &str) -> String {
    let name = readable(path).to_lowercase();
    let mut words = name.rsplit(|it: char| !it.is_alphanumeric());
    words
        .find(|it| !it.is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn count(field: &FieldSample) -> KeyCount {
    let filled = field.rows.saturating_sub(field.nulls);
    let distinct = field.distinct.unwrap_or_else(|| {
        let distinct: HashSet<_> = field.samples.iter().collect();
        // What was not sampled is not known to be unique.
        if field.samples.len() as u64 == filled {
            distinct.len() as u64
        } else {
            (distinct.len() as u64).min(filled.saturating_sub(1))
        }
    });
    KeyCount {
        paths: vec![field.path.clone()],
        rows: field.rows,
        empty: field.nulls,
        collisions: filled.saturating_sub(distinct),
    }
}

/// None where the values of the two are not of the same records.
fn count_pair(first: &FieldSample, second: &FieldSample) -> Option<KeyCount> {
    let sampled = |it: &FieldSample| it.samples.len() as u64 == it.rows;
    if !sampled(first) || !sampled(second) || first.rows != second.rows {
        return None;
    }
    let both = first.samples.iter().zip(&second.samples);
    let distinct = both.collect::<HashSet<_>>().len() as u64;
    Some(KeyCount {
        paths: vec![first.path.clone(), second.path.clone()],
        rows: first.rows,
        empty: 0,
        collisions: first.rows - distinct,
    })
}

fn reason(rank: u8, count: &KeyCount) -> String {
    let rows = count.rows;
    if count.paths.len() > 1 {
        return match count.faults() {
            0 => "Neither is unique alone; together no two records share them, but for rows of \
                  different files."
                .to_owned(),
            some => format!("Together {some} of {rows} records share them or lack one."),
        };
    }
    let name = match rank {
        ID => "It is called an id",
        CODE => "Its name suggests that it identifies something",
        DESCRIPTIVE => "Its name is that of a description, which two records may share",
        _ => "Its name does not say that it is an id",
    };
    match (count.collisions, count.empty) {
        (0, 0) => format!(
            "{name}; no two of {rows} records share a value, but for rows of different files."
        ),
        (some, 0) => format!("{name}; {some} of {rows} records have the value of another one."),
        (0, some) => format!("{name}; {some} of {rows} records have no value."),
        (shared, empty) => format!(
            "{name}; {shared} of {rows} records have the value of another one, and {empty} have none."
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
        let got: Vec<_> = of_sample(&object).into_iter().map(|it| it.paths).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn a_unique_field_called_an_id_comes_first() {
        let name = field("Name", &["a", "b", "c"]);
        let id = field("Record ID", &["1", "2", "3"]);
        let city = field("City", &["x", "x", "y"]);
        check(
            vec![city, name, id],
            &[&["Record ID"], &["Name"], &["City"]],
        );
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
        let mut found = of_sample(&object);
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
        check(
            vec![order, line, sum],
            &[&["Order ID", "Line"], &["Order ID"], &["Line"]],
        );
    }

    #[test]
    fn a_field_with_nulls_is_named_and_one_with_unknown_values_is_not() {
        let mut nulls = field("id", &["1", "2"]);
        (nulls.rows, nulls.nulls) = (3, 1);
        let mut unknown = field("code", &["1", "2"]);
        unknown.rows = 100;
        check(vec![nulls, unknown], &[&["id"]]);
    }

    #[test]
    fn faults_are_counted_and_what_describes_a_record_is_last() {
        let object = ObjectSample {
            fields: vec![
                field("Close Date", &["1", "2", "3", "4"]),
                field("Deal ID", &["1", "1", "2", "3"]),
                field("Line ID", &["1", "1", "1", "3"]),
            ],
            ..ObjectSample::default()
        };
        let found = of_sample(&object);
        let shown = found
            .iter()
            .map(|it| (it.paths[0].as_str(), it.collisions, it.descriptive));
        let want = [
            ("Deal ID", 1, false),
            ("Line ID", 2, false),
            ("Close Date", 0, true),
        ];
        assert!(shown.eq(want), "{found:?}");
    }

    #[test]
    fn without_any_key_the_colliding_id_is_named() {
        let id = field("Id", &["1", "1", "1"]);
        let city = field("City", &["x", "x", "x"]);
        check(vec![city, id], &[&["Id"]]);
    }
}
