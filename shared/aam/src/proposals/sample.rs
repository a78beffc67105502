//! Records as columns: what the matcher and the formats are told.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use mapping::formats::{TableProfile, read};
use mapping::matcher::{FieldSample, ObjectSample};
use schema::format::{ColumnFormat, FormatKind};
use schema::source::{SourceField, SourceType, child_path};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Unmapped;

/// Fields deeper than this are not looked at.
const MAX_DEPTH: usize = 5;
/// Fields beyond this many are not looked at.
const MAX_FIELDS: usize = 2_000;
/// Fields that are not looked at are counted up to this many.
const MAX_SKIPPED: usize = 20_000;
/// Of a value so many bytes are looked at.
const MAX_VALUE: usize = 1_024;

/// A record's fields in its own order, which is part of the evidence.
struct Columns(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Columns, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Columns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = map.next_entry()? {
                    columns.push(column);
                }
                Ok(Columns(columns))
            }
        }
        json.deserialize_map(InOrder)
    }
}

/// An object's sampled fields.
pub(super) struct Sample {
    /// As the source has them.
    pub(super) object: ObjectSample,
    /// The same with each value as its format reads it: the matcher knows dates and numbers in few
    /// forms.
    pub(super) read: ObjectSample,
    /// Where each path is in the object's fields.
    places: HashMap<String, usize>,
    /// How many fields there are beyond those.
    pub(super) skipped: BTreeSet<String>,
    /// Of each field, in the same order, how often a sampled value is a text: only texts have a
    /// format.
    texts: Vec<u64>,
    /// What the values of the fields look like.
    profile: TableProfile,
    /// How each field writes its values, in the same order.
    formats: Vec<ColumnFormat>,
}

impl Sample {
    /// The formats that are worth telling: plain texts and numbers have none.
    pub(super) fn formats(&self) -> Vec<ColumnFormat> {
        let told = |it: &&ColumnFormat| !it.transforms.is_empty() || !it.questions.is_empty();
        self.formats.iter().filter(told).cloned().collect()
    }

    pub(super) fn format(&self, path: &str) -> Option<&ColumnFormat> {
        self.places.get(path).map(|it| &self.formats[*it])
    }

    pub(super) fn field(&self, path: &str) -> Option<&FieldSample> {
        self.places.get(path).map(|it| &self.object.fields[*it])
    }
}

/// The sample of these records, whose formats are still to be decided.
pub(super) fn of(unmapped: Unmapped<'_>) -> Sample {
    let mut sample = Sample {
        object: ObjectSample {
            name: unmapped.object.to_owned(),
            system: Some(unmapped.system.to_owned()),
            fields: Vec::new(),
        },
        read: ObjectSample::default(),
        places: HashMap::new(),
        skipped: BTreeSet::new(),
        texts: Vec::new(),
        profile: TableProfile::new([]),
        formats: Vec::new(),
    };
    for record in unmapped.records {
        // What is no record is quarantined, and not stored with the others.
        if let Ok(Columns(columns)) = serde_json::from_str(record) {
            for (key, value) in &columns {
                sample.add(unmapped, &child_path("", key), value, 1);
            }
        }
    }
    let rows = unmapped.records.len() as u64;
    for field in &mut sample.object.fields {
        field.rows = rows;
        field.nulls = rows.saturating_sub(field.samples.len() as u64);
    }
    let paths = sample.object.fields.iter().map(|it| it.path.as_str());
    sample.profile = TableProfile::new(paths);
    sample
}

impl Sample {
    /// Looks at how these records write their values.
    pub(super) fn observe(&mut self, records: &[String]) {
        for record in records {
            let Ok(Columns(columns)) = serde_json::from_str(record) else {
                continue;
            };
            for (key, value) in &columns {
                self.observe_value(&child_path("", key), value, 1);
            }
        }
    }

    fn observe_value(&mut self, path: &str, value: &Value, depth: usize) {
        match value {
            Value::Object(fields) if depth < MAX_DEPTH => {
                for (key, value) in fields {
                    self.observe_value(&child_path(path, key), value, depth + 1);
                }
            }
            Value::String(text) => {
                if let Some(place) = self.places.get(path) {
                    let text = &text[..text.floor_char_boundary(MAX_VALUE)];
                    self.profile.observe(*place, text);
                }
            }
            // An empty cell of a file.
            Value::Null => {
                if let Some(place) = self.places.get(path) {
                    self.profile.observe(*place, "");
                }
            }
            _ => {}
        }
    }

    /// Decides the formats by what was observed.
    pub(super) fn decide_formats(&mut self) {
        self.formats = self.profile.finish();
        let columns = self.object.fields.iter_mut().zip(&self.formats);
        for ((field, format), texts) in columns.zip(&self.texts) {
            let is_text = 0 < *texts && *texts == field.samples.len() as u64;
            if is_text {
                let text = field.kind.unwrap_or(SourceType::Text);
                field.kind = Some(type_of(format.kind).unwrap_or(text));
            }
        }
        self.read = self.object.clone();
        for (field, format) in self.read.fields.iter_mut().zip(&self.formats) {
            for value in &mut field.samples {
                if let Some(read) = read(&format.transforms, value) {
                    *value = read;
                }
            }
        }
    }

    fn add(&mut self, unmapped: Unmapped<'_>, path: &str, value: &Value, depth: usize) {
        let text = match value {
            Value::Object(fields) if depth < MAX_DEPTH => {
                for (key, value) in fields {
                    self.add(unmapped, &child_path(path, key), value, depth + 1);
                }
                return;
            }
            Value::Null | Value::Object(_) => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text[..text.floor_char_boundary(MAX_VALUE)].to_owned()),
            Value::Array(_) => Some(value.to_string().chars().take(MAX_VALUE).collect()),
            other => Some(other.to_string()),
        };
        let Some(place) = self.place(unmapped, path) else {
            return;
        };
        self.texts[place] += u64::from(value.is_string() && text.is_some());
        self.object.fields[place].samples.extend(text);
    }

    /// The place of the field, which may be new; none where there are too many.
    fn place(&mut self, unmapped: Unmapped<'_>, path: &str) -> Option<usize> {
        if let Some(place) = self.places.get(path) {
            return Some(*place);
        }
        let place = self.object.fields.len();
        if MAX_FIELDS <= place {
            if self.skipped.len() < MAX_SKIPPED {
                self.skipped.insert(path.to_owned());
            }
            return None;
        }
        let unknown = SourceField::default();
        let known = unmapped.schema.and_then(|it| it.fields.get(path));
        let field = FieldSample::new(path, known.unwrap_or(&unknown));
        self.object.fields.push(field);
        self.texts.push(0);
        self.places.insert(path.to_owned(), place);
        Some(place)
    }
}

/// The type of a column of texts that are all of that kind, where a type says so.
fn type_of(kind: FormatKind) -> Option<SourceType> {
    match kind {
        FormatKind::Integer => Some(SourceType::Integer),
        FormatKind::Decimal | FormatKind::Money | FormatKind::Percent => Some(SourceType::Decimal),
        FormatKind::Boolean => Some(SourceType::Boolean),
        FormatKind::Date => Some(SourceType::Date),
        FormatKind::Timestamp => Some(SourceType::Timestamp),
        _ => None,
    }
}
