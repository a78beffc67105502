//! Mappings: how a source object's fields become an entity's. Data, not code.
//!
//! A version is immutable. `mapping` compiles one and runs it over records.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the records of one source object become canonical records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The entity it maps to: `account`.
    pub entity: String,
    /// One entry per target field; no target twice.
    pub fields: Vec<FieldMapping>,
}

/// How one canonical field comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// The canonical field.
    pub target: String,
    /// Paths into the source record: keys joined by dots, a dot in a key escaped as `\.`.
    /// The first one with a value counts, unless the first transform is `join`; null and empty
    /// text are no value, nor is an object where another path leads into it.
    /// Empty only where the first transform is `constant`.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Applied in order, before the value is read as the target's type.
    #[serde(default)]
    pub transforms: Vec<Transform>,
}

/// One declared step from a source value to a canonical one.
///
/// The last step, reading the text as the target's type, is implied by the target and is strict:
/// a value that does not fit quarantines the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// Removes white space at both ends.
    Trim,
    /// Unicode upper case.
    Upper,
    /// Unicode lower case.
    Lower,
    /// Always this text.
    Constant {
        /// The text.
        value: String,
    },
    /// This text where there is no value.
    Default {
        /// The text.
        value: String,
    },
    /// The part between separators.
    Split {
        /// What stands between the parts.
        separator: String,
        /// Which part, from 0; negative counts from the end.
        index: i32,
    },
    /// All sources that have a value, with the separator between them.
    Join {
        /// What to put between them.
        separator: String,
    },
    /// Replaces a value of the source by a canonical one.
    Enum {
        /// Pairs of (source word, canonical word). A word counts in any case, unless another of
        /// the list differs by case alone; `true` and `false` also as 1, 0, WAHR, FAUX and the
        /// like.
        values: std::collections::BTreeMap<String, String>,
        /// What to do with a word that is not listed.
        otherwise: Otherwise,
    },
    /// Multiplies a number by an exact decimal: cents to euros is `0.01`.
    Unit {
        /// The factor, as decimal text.
        factor: String,
    },
    /// Checks for an ISO 4217 code, after upper-casing it.
    Currency,
    /// How a timestamp without a zone is read.
    Timestamp {
        /// The zone of values that name none: `UTC` or an offset such as `+02:00`.
        zone: String,
        /// The form of the value.
        format: TimestampFormat,
    },
}

/// What an `enum` transform does with a value that it does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// It stays as it is.
    Keep,
    /// The field is empty.
    Null,
    /// The record is quarantined.
    Reject,
}

/// How the source writes an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampFormat {
    /// ISO 8601: a date, or a date and a time, with or without a zone.
    Iso,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMillis,
}
