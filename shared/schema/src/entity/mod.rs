//! The entities. A canonical one is declared once, in its file here; its columns, mapping
//! targets, filterable fields, JSON Schema and OpenAPI are read from that declaration, and a
//! test compares it with the migrated table. A tenant declares more fields and entities in the
//! same words: [`Entities`] are those of one tenant.

mod account;
mod aws_resource;
mod contact;
mod cost_report;
mod declared;
#[cfg(test)]
mod declared_tests;
mod kind;
mod opportunity;
mod reference;

use std::borrow::Cow;

use serde_json::{Map, Value, json};

pub use declared::{
    Entities, EntityDeclaration, FieldDeclaration, MAX_ENTITIES, MAX_FIELDS, StoredField,
};
pub use kind::Kind;
pub use reference::EntityRef;

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
    kind: Cow::Borrowed("unmapped"),
    plural: Cow::Borrowed("unmapped"),
    doc: Cow::Borrowed("A record that is kept as it came."),
    fields: Cow::Borrowed(&[]),
    key: Cow::Borrowed(&[]),
    is_custom: false,
};

/// One kind of canonical record.
#[derive(Debug, Clone)]
pub struct Entity {
    /// The singular, as events name it: `account`.
    pub kind: Text,
    /// The plural: the view, the table of a canonical one, and the prefix of a file's name.
    pub plural: Text,
    /// What a record stands for.
    pub doc: Text,
    /// The fields: those of the table's columns in their order, then the custom ones.
    pub fields: Cow<'static, [Field]>,
    /// The fields that make up the record's id within its source object, joined by `:`.
    pub key: Cow<'static, [Text]>,
    /// Whether a tenant declared it. Its records share one table with those of all the others.
    pub is_custom: bool,
}

/// One field of an entity.
#[derive(Debug, Clone)]
pub struct Field {
    /// The name on the wire and of the column.
    pub name: Text,
    /// The type on the wire and of the column.
    pub kind: Kind,
    /// Whether a record without it is quarantined.
    pub required: bool,
    /// What it means, with its unit.
    pub doc: Text,
    /// The smallest and the largest number it takes; a record outside is quarantined.
    pub range: Option<(i64, i64)>,
    /// What shipped mappings put where the source has no value.
    pub default: Option<&'static str>,
    /// The texts that it takes; any where there are none. A record with another is quarantined.
    pub words: Vec<String>,
    /// The unit of its numbers, where a tenant named one.
    pub unit: Option<String>,
    /// What a custom field is stored under; none where it has a column of its own.
    pub custom: Option<CustomId>,
}

/// A text of a declaration, whether the program or a tenant brings it.
pub type Text = Cow<'static, str>;

/// What a custom field's values are stored under. No other field ever has it, so values that a
/// dropped field left behind are never read as those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CustomId(pub i64);

/// The table of the records of custom entities.
pub const CUSTOM_TABLE: &str = "custom_records";

impl Field {
    /// A field that may be without a value and takes all that its type does.
    pub const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
        Field {
            name: Cow::Borrowed(name),
            kind,
            required: false,
            doc: Cow::Borrowed(doc),
            range: None,
            default: None,
            words: Vec::new(),
            unit: None,
            custom: None,
        }
    }

    const fn within(mut self, least: i64, most: i64) -> Field {
        self.range = Some((least, most));
        self
    }

    const fn or(mut self, default: &'static str) -> Field {
        self.default = Some(default);
        self
    }
}

impl Entity {
    /// Whether it only stands for one that is not chosen yet.
    pub fn is_unmapped(&self) -> bool {
        self.kind == UNMAPPED.kind
    }

    /// The table of its records.
    pub fn table(&self) -> &str {
        match self.is_custom {
            true => CUSTOM_TABLE,
            false => &self.plural,
        }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|it| it.name == name)
    }

    /// Whether a field of that name is part of the record's id.
    pub fn is_key(&self, name: &str) -> bool {
        self.key.iter().any(|it| it == name)
    }

    /// The fields that have columns of their own, in the order of the table.
    pub fn columns(&self) -> impl Iterator<Item = (usize, &Field)> {
        let fields = self.fields.iter().enumerate();
        fields.filter(|(_, it)| it.custom.is_none())
    }

    /// The fields that a tenant declared, each with its place among all.
    pub fn custom_fields(&self) -> impl Iterator<Item = (usize, &Field, CustomId)> {
        let fields = self.fields.iter().enumerate();
        fields.filter_map(|(index, it)| Some((index, it, it.custom?)))
    }

    /// The JSON Schema of a record as views show it, without the columns of its origin.
    pub fn json_schema(&self) -> Value {
        let properties: Map<String, Value> = self.fields.iter().map(property).collect();
        let required: Vec<_> = self
            .fields
            .iter()
            .filter(|it| it.required)
            .map(|it| &*it.name)
            .collect();
        json!({
            "type": "object",
            "description": self.doc,
            "properties": properties,
            "required": required,
        })
    }
}

/// The canonical entity of that kind (`account`).
pub fn find(kind: &str) -> Option<&'static Entity> {
    ENTITIES.iter().copied().find(|it| it.kind == kind)
}

fn property(field: &Field) -> (String, Value) {
    let mut schema = field.kind.json_schema();
    schema["description"] = match &field.unit {
        Some(unit) => format!("{} Unit: {unit}.", field.doc).trim().into(),
        None => (*field.doc).into(),
    };
    if let Some((least, most)) = field.range {
        schema["minimum"] = least.into();
        schema["maximum"] = most.into();
    }
    if !field.words.is_empty() && field.kind == Kind::TextList {
        schema["items"]["enum"] = field.words.iter().map(|it| it.as_str()).collect();
    } else if !field.words.is_empty() {
        let none = (!field.required).then_some(Value::Null);
        let words = field.words.iter().map(|it| it.as_str().into());
        schema["enum"] = words.chain(none).collect();
    }
    if !field.required {
        schema["type"] = json!([schema["type"], "null"]);
    }
    (field.name.to_string(), schema)
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    let mut field = optional(name, kind, doc);
    field.required = true;
    field
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field::optional(name, kind, doc)
}
