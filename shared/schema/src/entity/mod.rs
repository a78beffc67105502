//! The canonical entities. An entity is declared once, in its file here; its columns, mapping
//! targets, filterable fields, JSON Schema and OpenAPI are read from that declaration, and a
//! test compares it with the migrated table.

mod account;
mod aws_resource;
mod contact;
mod cost_report;
mod opportunity;

use serde_json::{Map, Value, json};

/// Every entity there is.
pub const ENTITIES: &[&Entity] = &[
    &account::ACCOUNT,
    &opportunity::OPPORTUNITY,
    &contact::CONTACT,
    &aws_resource::AWS_RESOURCE,
    &cost_report::COST_REPORT,
];

/// What stands for an entity where none is chosen yet: records are kept as they came, and become
/// nothing. It has no table and no view.
pub const UNMAPPED: &Entity = &Entity {
    kind: "unmapped",
    plural: "unmapped",
    doc: "A record that is kept as it came.",
    fields: &[],
    key: &[],
};

/// One kind of canonical record.
#[derive(Debug)]
pub struct Entity {
    /// The singular, as events name it: `account`.
    pub kind: &'static str,
    /// The plural: the table, the view and the prefix of a file's name.
    pub plural: &'static str,
    /// What a record stands for.
    pub doc: &'static str,
    /// The fields, in the order of the table's columns. The first ones identify the record.
    pub fields: &'static [Field],
    /// The fields that make up the record's id within its source object, joined by `:`.
    pub key: &'static [&'static str],
}

/// One field of an entity.
#[derive(Debug)]
pub struct Field {
    /// The name on the wire and of the column.
    pub name: &'static str,
    /// The type on the wire and of the column.
    pub kind: Kind,
    /// Whether a record without it is quarantined.
    pub required: bool,
    /// What it means, with its unit.
    pub doc: &'static str,
    /// The smallest and the largest number it takes; a record outside is quarantined.
    pub range: Option<(i64, i64)>,
    /// What shipped mappings put where the source has no value.
    pub default: Option<&'static str>,
}

impl Field {
    const fn within(mut self, least: i64, most: i64) -> Field {
        self.range = Some((least, most));
        self
    }

    const fn or(mut self, default: &'static str) -> Field {
        self.default = Some(default);
        self
    }
}

/// The type of a canonical field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    fn json_schema(self) -> Value {
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

impl Entity {
    /// Whether it only stands for one that is not chosen yet.
    pub fn is_unmapped(&self) -> bool {
        self.kind == UNMAPPED.kind
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|it| it.name == name)
    }

    /// The JSON Schema of a record as views show it, without the columns of its origin.
    pub fn json_schema(&self) -> Value {
        let properties: Map<String, Value> = self.fields.iter().map(property).collect();
        let required: Vec<_> = self
            .fields
            .iter()
            .filter(|it| it.required)
            .map(|it| it.name)
            .collect();
        json!({
            "type": "object",
            "description": self.doc,
            "properties": properties,
            "required": required,
        })
    }
}

/// The entity of that kind (`account`).
pub fn find(kind: &str) -> Option<&'static Entity> {
    ENTITIES.iter().copied().find(|it| it.kind == kind)
}

/// The same, or [`UNMAPPED`].
pub fn find_or_unmapped(kind: &str) -> Option<&'static Entity> {
    [UNMAPPED]
        .into_iter()
        .find(|it| it.kind == kind)
        .or_else(|| find(kind))
}

/// The entity of that plural (`accounts`).
pub fn find_plural(plural: &str) -> Option<&'static Entity> {
    ENTITIES.iter().copied().find(|it| it.plural == plural)
}

fn property(field: &Field) -> (String, Value) {
    let mut schema = field.kind.json_schema();
    schema["description"] = field.doc.into();
    if let Some((least, most)) = field.range {
        schema["minimum"] = least.into();
        schema["maximum"] = most.into();
    }
    if !field.required {
        schema["type"] = json!([schema["type"], "null"]);
    }
    (field.name.to_owned(), schema)
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field {
        required: true,
        ..optional(name, kind, doc)
    }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field {
        name,
        kind,
        required: false,
        doc,
        range: None,
        default: None,
    }
}
