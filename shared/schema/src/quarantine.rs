//! What can be done about records that were quarantined.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mapping::FieldMapping;

/// A change that would let quarantined records in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fix {
    /// Add these words to the `enum` transform of the field, each with its canonical word.
    AddEnumWords {
        /// Words of the source that the transform does not list.
        words: Vec<String>,
        /// The field's entry in the mapping with all of them, each standing for itself: with it in
        /// the place of the present one the records that were looked at fit. Null where a word
        /// cannot stand for itself.
        entry: Option<FieldMapping>,
    },
    /// Add these words to the `enum` of the tenant's own field, with
    /// `PATCH /api/v1/dcl/fields/{entity}/{field}`; or map them to words that it has.
    AddFieldWords {
        /// The entity whose field it is.
        entity: String,
        /// Words of the source that the field does not take.
        words: Vec<String>,
        /// All words of the field with these: what to send as `enum`.
        all: Vec<String>,
    },
    /// Declare the format of the values in the mapping, or write them at the source as the field's
    /// type is written.
    DeclareFormat {
        /// The type of the field: `decimal`, `date`.
        expected: String,
        /// Values that were not read.
        values: Vec<String>,
        /// The field's entry in the mapping with the format that the values have: with it in the
        /// place of the present one the records that were looked at fit, and those that are stored
        /// stay as they are. Null where no one format does that: correct the values at the source.
        entry: Option<FieldMapping>,
    },
    /// Shorten the values at the source, or read a part of them with `split`.
    ShortenValues {
        /// The longest text that a field takes, in bytes.
        most_bytes: usize,
    },
    /// Identify the records by another source field.
    UseKey {
        /// Fields that have another value in each of the records that were looked at, stored ones
        /// among them.
        candidates: Vec<String>,
        /// How many records were looked at.
        records: usize,
    },
    /// Keep each of these records by its content, or discard those that are no records: a line of
    /// totals has no key either.
    KeyByContent {
        /// The key's entry in the mapping with `content_hash`: with it in the place of the present
        /// one the records that were looked at fit, and those that are stored keep their ids.
        entry: FieldMapping,
    },
    /// Read the field from another source field.
    UseField {
        /// Fields that have a value in each of the records that were looked at, and that the
        /// mapping does not read.
        candidates: Vec<String>,
        /// How many records were looked at.
        records: usize,
    },
}
