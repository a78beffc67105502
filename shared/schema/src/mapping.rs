//! Mappings: how a source object's fields become an entity's. Data, not code.
//!
//! A version is immutable. `mapping` compiles one and runs it over records.

mod transform;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use transform::{Grouping, Missing, Otherwise, Percent, TakeItem, TimestampFormat, Transform};

/// How the records of one source object become canonical records. At most 1 MiB as JSON without
/// white space, with at most 100 `regex` transforms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"entity": "contact", "fields": [{"target": "contact_id", "sources": ["Id"]}, {"target": "email", "sources": ["E-Mail"]}]})))]
pub struct Mapping {
    /// The entity it maps to: `account`.
    pub entity: String,
    /// One entry per target field; no target twice.
    #[schema(max_items = 2000)]
    pub fields: Vec<FieldMapping>,
}

/// How one canonical field comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// The canonical field.
    pub target: String,
    /// Paths into the source record: keys joined by dots, a dot in a key escaped as `\.`.
    /// The first one with a value counts, unless the first transform says otherwise (`join`,
    /// `concat`, `template`, `coalesce`, `array`); null and empty text are no value, nor is an
    /// object where another path leads into it.
    /// Empty only where the first transform is `constant`.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub sources: Vec<String>,
    /// Applied in order, before the value is read as the target's type. What they make of one value
    /// may have 64 KiB in all, or 16 times the value where that is more; the record is quarantined
    /// otherwise.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub transforms: Vec<Transform>,
}
