//! What comes out of a plan: a record, or why there is none.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use schema::Entity;
use schema::entity::Text;
use serde::{
    Serialize, Serializer,
    ser::{Error as _, SerializeMap},
};
use serde_json::value::RawValue;

use crate::Decimal;

/// The field that says when the source last changed a record.
pub(super) const VERSION: &str = "updated_at";

/// One canonical record, borrowed from the JSON text where it can be.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// What it is a record of.
    pub entity: &'a Entity,
    /// One per field of the entity, in its order.
    pub cells: Vec<Cell<'a>>,
    /// What no field took, as the text of a JSON object; `{}` when nothing is left.
    pub extras: String,
}

/// The value of one canonical field.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// Text without NUL.
    Text(Cow<'a, str>),
    /// A list of texts.
    TextList(Vec<Cow<'a, str>>),
    /// A 64-bit integer.
    Integer(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A day of the years 1 to 9999.
    Date(NaiveDate),
    /// An instant of the years 1 to 9999, in whole microseconds.
    Timestamp(DateTime<Utc>),
}

/// Why a record is quarantined. Reads `amount: "12,5" is not a decimal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// The canonical field, or the source's path where the fault has no canonical field.
    /// None where the record as a whole is wrong.
    pub field: Option<String>,
    /// An error, as `application/problem+json`.
    pub reason: String,
}

impl<'a> Record<'a> {
    /// The cell of that field; none where the entity has no such field.
    pub fn cell(&self, field: &str) -> Option<&Cell<'a>> {
        let index = self.entity.fields.iter().position(|it| it.name == field)?;
        self.cells.get(index)
    }

    /// What identifies the record within its source object.
    ///
    /// A single key field is taken as it is. Several are joined by `:`, with `:` and `\` escaped
    /// by `\` so that different keys never make the same id. A missing one is empty, and at the end
    /// left out, so that a key can get a field that older records lack.
    pub fn source_id(&self) -> Cow<'_, str> {
        let part = |name: &Text| self.cell(name).map(Cell::text).unwrap_or_default();
        let is_there = |name: &Text| self.cell(name).is_some_and(|it| !it.is_null());
        match &*self.entity.key {
            [only] => part(only),
            several => {
                let last = several.iter().rposition(is_there).map_or(0, |it| it + 1);
                let parts = several[..last].iter().map(part).map(escape);
                Cow::Owned(parts.collect::<Vec<_>>().join(":"))
            }
        }
    }

    /// When the source last changed it, if the source says.
    pub fn version(&self) -> Option<DateTime<Utc>> {
        match self.cell(VERSION) {
            Some(Cell::Timestamp(at)) => Some(*at),
            _ => None,
        }
    }
}

impl Cell<'_> {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// The value as plain text, empty for none.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Cell::Null => Cow::Borrowed(""),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::TextList(texts) => Cow::Owned(texts.join(",")),
            Cell::Integer(number) => Cow::Owned(number.to_string()),
            Cell::Decimal(number) => Cow::Owned(number.to_string()),
            Cell::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Cell::Date(day) => Cow::Owned(day.to_string()),
            Cell::Timestamp(at) => Cow::Owned(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

/// As views show it: the fields in order, then `extras`.
impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let extras: &RawValue = serde_json::from_str(&self.extras).map_err(S::Error::custom)?;
        let mut map = to.serialize_map(Some(self.cells.len() + 1))?;
        for (field, cell) in self.entity.fields.iter().zip(&self.cells) {
            map.serialize_entry(&field.name, cell)?;
        }
        map.serialize_entry("extras", extras)?;
        map.end()
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => to.serialize_none(),
            Cell::TextList(texts) => texts.serialize(to),
            Cell::Integer(number) => number.serialize(to),
            Cell::Decimal(number) => number.serialize(to),
            Cell::Boolean(value) => value.serialize(to),
            Cell::Text(_) | Cell::Date(_) | Cell::Timestamp(_) => self.text().serialize(to),
        }
    }
}

impl RecordError {
    pub(super) fn at(field: &str, reason: impl Into<String>) -> RecordError {
        RecordError {
            field: Some(field.to_owned()),
            reason: reason.into(),
        }
    }

    pub(super) fn whole(reason: impl Into<String>) -> RecordError {
        RecordError {
            field: None,
            reason: reason.into(),
        }
    }

    /// The same fault, seen from the object that has it under `key`.
    pub(super) fn below(mut self, key: &str) -> RecordError {
        self.field = Some(match self.field {
            Some(field) => format!("{key}.{field}"),
            None => key.to_owned(),
        });
        self
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for RecordError {}

fn escape(part: Cow<'_, str>) -> String {
    part.replace('\\', r"\\").replace(':', r"\:")
}
