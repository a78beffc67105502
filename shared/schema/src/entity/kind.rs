//! The types of fields.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The type of a canonical field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FieldType)]
pub enum Kind {
    /// Unicode text without NUL.
    Text,
    /// A list of texts.
    TextList,
    /// A 64-bit signed integer.
    Integer,
    /// An exact decimal of at most 38 digits.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// A calendar date.
    Date,
    /// An instant, with microseconds.
    Timestamp,
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::TextList => "text_list",
            Kind::Integer => "integer",
            Kind::Decimal => "decimal",
            Kind::Boolean => "boolean",
            Kind::Date => "date",
            Kind::Timestamp => "timestamp",
        }
    }

    /// The column type in PostgreSQL.
    pub const fn sql(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::TextList => "text[]",
            Kind::Integer => "bigint",
            Kind::Decimal => "numeric",
            Kind::Boolean => "boolean",
            Kind::Date => "date",
            Kind::Timestamp => "timestamp with time zone",
        }
    }

    pub(super) fn json_schema(self) -> Value {
        match self {
            Kind::Text => json!({"type": "string"}),
            Kind::TextList => json!({"type": "array", "items": {"type": "string"}}),
            Kind::Integer => json!({"type": "integer", "format": "int64"}),
            Kind::Decimal => json!({"type": "number"}),
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Date => json!({"type": "string", "format": "date"}),
            Kind::Timestamp => json!({"type": "string", "format": "date-time"}),
        }
    }
}
