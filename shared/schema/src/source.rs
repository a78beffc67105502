//! What a source object looks like: its fields by path, without values and without counters.
//!
//! **Invariant:** a schema is a set. Two that describe the same structure are equal and give the
//! same bytes to hash, in whatever order they were learnt.

mod object;
mod path;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use object::{ObjectKey, ObjectRef};
pub use path::{child_path, parent_path, parse_path};
pub use types::{SourceType, SourceTypes};

/// The fields of one source object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceSchema {
    /// By path: keys joined by dots, a dot or backslash in a key escaped
    /// by a backslash; elements under `path[]`.
    pub fields: BTreeMap<String, SourceField>,
}

/// One field of a source object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceField {
    /// Every type its values have; none where no value is known.
    pub types: SourceTypes,
    /// Whether a record may lack it or hold null.
    pub nullable: bool,
    /// Whether it is part of the object's key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
    /// The only values it may have, where the source declares them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub values: BTreeSet<String>,
    /// The longest text it may hold, where the source declares it. Documentation, not structure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// The label that the source shows for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl SourceField {
    /// Whether both have the same structure, whatever their documentation says.
    pub fn same_structure(&self, other: &SourceField) -> bool {
        self.types == other.types
            && self.nullable == other.nullable
            && self.key == other.key
            && self.values == other.values
    }
}

impl SourceSchema {
    /// Appends what programs depend on: paths, types, nullability, keys, enumerated values.
    ///
    /// Each text is preceded by its length, so different structures never give the same bytes.
    pub fn structure_bytes(&self, out: &mut Vec<u8>) {
        for (path, field) in &self.fields {
            put_text(out, path);
            let flags = u8::from(field.nullable) | u8::from(field.key) << 1;
            out.extend([field.types.bits(), flags]);
            put_length(out, field.values.len());
            field.values.iter().for_each(|it| put_text(out, it));
        }
    }

    /// Appends what people read: labels and lengths.
    pub fn documentation_bytes(&self, out: &mut Vec<u8>) {
        for (path, field) in &self.fields {
            put_text(out, path);
            out.extend(field.length.map_or([0; 5], |it| {
                let [a, b, c, d] = it.to_le_bytes();
                [1, a, b, c, d]
            }));
            out.push(u8::from(field.label.is_some()));
            put_text(out, field.label.as_deref().unwrap_or_default());
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_properties_are_not_written() {
        let types = SourceTypes::from_iter([SourceType::Text, SourceType::Integer]);
        let field = SourceField {
            types,
            ..SourceField::default()
        };
        let json = serde_json::to_string(&field).unwrap();
        assert_eq!(json, r#"{"types":["integer","text"],"nullable":false}"#);
        assert_eq!(serde_json::from_str::<SourceField>(&json).unwrap(), field);
    }

    #[test]
    fn documentation_is_not_structure() {
        let schema = |label: Option<&str>, length, key| {
            let label = label.map(str::to_owned);
            let field = SourceField {
                label,
                length,
                key,
                ..SourceField::default()
            };
            SourceSchema {
                fields: BTreeMap::from([("id".to_owned(), field)]),
            }
        };
        let bytes = |it: &SourceSchema| {
            let (mut structure, mut documentation) = (Vec::new(), Vec::new());
            it.structure_bytes(&mut structure);
            it.documentation_bytes(&mut documentation);
            (structure, documentation)
        };
        let plain = bytes(&schema(None, None, false));
        for documented in [schema(Some(""), None, false), schema(None, Some(0), false)] {
            let documented = bytes(&documented);
            assert_eq!(documented.0, plain.0);
            assert_ne!(documented.1, plain.1);
        }
        let keyed = bytes(&schema(None, None, true));
        assert_ne!(keyed.0, plain.0);
        assert_eq!(keyed.1, plain.1);
    }
}
