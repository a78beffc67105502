//! What the platform hands over: an object with some of its values, and the fields that it may
//! feed.

use schema::entity::{ENTITIES, Entity, Kind};
use schema::source::{SourceField, SourceType, parse_path};

use super::dictionary::dictionary;
use super::question::Field;

/// A source object with some of its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObjectSample {
    /// The object's name at the source: a table, a file's name without its ending.
    pub name: String,
    /// The system, where it is known: `hubspot`.
    pub system: Option<String>,
    /// Its fields, in the source's order.
    pub fields: Vec<FieldSample>,
}

/// A field of a source object with some of its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldSample {
    /// As in a source schema: keys joined by dots, a dot in a key escaped, `[]` after a list.
    pub path: String,
    /// The type of its values; none where it is unknown or mixed.
    pub kind: Option<SourceType>,
    /// The label that the source shows.
    pub label: Option<String>,
    /// Values as text in the order of the records, repeated as they occur, without nulls. Up to
    /// 1,000 are of use.
    pub samples: Vec<String>,
    /// Records among which the samples were taken.
    pub rows: u64,
    /// Those of them without a value.
    pub nulls: u64,
    /// Distinct values among those records, where they were counted; otherwise the samples are.
    pub distinct: Option<u64>,
}

/// A record kind that an object may feed.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetEntity {
    /// `account`, or what the tenant calls it.
    pub kind: String,
    /// Words for such a record: `company`, `account`.
    pub words: Vec<String>,
    /// What it consists of, the tenant's own fields included.
    pub fields: Vec<Target>,
    /// The fields that identify a record.
    pub key: Vec<String>,
}

/// A field that an object may feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its type; none where any fits.
    pub kind: Option<SourceType>,
    /// Other names, such as a label or a description of a few words.
    pub aliases: Vec<String>,
    /// Whether its values may be of another kind than its name implies.
    pub any_values: bool,
}

impl FieldSample {
    /// A field of an inferred schema, whose values are still to be put in.
    pub fn new(path: &str, field: &SourceField) -> FieldSample {
        let mut kinds = field.types.iter();
        let only = kinds.next().filter(|_| kinds.next().is_none());
        FieldSample {
            path: path.to_owned(),
            kind: only,
            label: field.label.clone(),
            ..FieldSample::default()
        }
    }

    pub(super) fn field(&self) -> Field {
        Field {
            name: readable(&self.path),
            aliases: self.label.iter().cloned().collect(),
            kind: self.kind,
            samples: self.samples.clone(),
            rows: self.rows,
            nulls: self.nulls,
            any_values: false,
        }
    }
}

impl TargetEntity {
    /// The entities that every tenant has.
    pub fn canonical() -> Vec<TargetEntity> {
        ENTITIES.iter().map(|it| TargetEntity::of(it)).collect()
    }

    /// The entity as a target.
    pub fn of(entity: &Entity) -> TargetEntity {
        let shipped = dictionary().entity_words(&entity.kind);
        let words = shipped.map_or_else(
            || {
                vec![
                    entity.kind.replace('_', " "),
                    entity.plural.replace('_', " "),
                ]
            },
            <[_]>::to_vec,
        );
        let target = |it: &schema::entity::Field| Target {
            name: it.name.to_string(),
            kind: Some(source_type(it.kind)),
            aliases: dictionary().aliases(&entity.kind, &it.name).to_vec(),
            // The canonical owner may be an address.
            any_values: it.name == "owner_id",
        };
        TargetEntity {
            kind: entity.kind.to_string(),
            words,
            fields: entity.fields.iter().map(target).collect(),
            key: entity.key.iter().map(|it| it.to_string()).collect(),
        }
    }

    pub(super) fn targets(&self) -> Vec<Field> {
        let target = |it: &Target| Field {
            name: it.name.clone(),
            aliases: it.aliases.clone(),
            kind: it.kind,
            any_values: it.any_values,
            ..Field::default()
        };
        self.fields.iter().map(target).collect()
    }
}

fn source_type(kind: Kind) -> SourceType {
    match kind {
        Kind::Text => SourceType::Text,
        Kind::TextList => SourceType::Array,
        Kind::Integer => SourceType::Integer,
        Kind::Decimal => SourceType::Decimal,
        Kind::Boolean => SourceType::Boolean,
        Kind::Date => SourceType::Date,
        Kind::Timestamp => SourceType::Timestamp,
    }
}

/// A path as a person would write it: a single key as it is, several joined by dots.
pub(super) fn readable(path: &str) -> String {
    match parse_path(path) {
        Ok(keys) if keys.len() > 1 => {
            let plain: Vec<_> = keys.iter().map(|it| it.replace('.', " ")).collect();
            plain.join(".")
        }
        Ok(mut keys) => keys.pop().unwrap_or_default(),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_compared_as_a_person_would_write_it() {
        let cases = [
            (r"Est\. Revenue", "Est. Revenue"),
            (r"org.tax\.id", "org.tax id"),
            ("owner.emails[].value", "owner.emails[].value"),
            ("", ""),
        ];
        for (path, want) in cases {
            assert_eq!(readable(path), want);
        }
    }
}
