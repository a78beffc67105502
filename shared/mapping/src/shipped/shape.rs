//! One form in which a system hands out the records of an entity: its API's, or that of a file which
//! a person exports, in one language.

use std::collections::HashMap;

use schema::mapping::{FieldMapping, Mapping, Transform};
use serde::Deserialize;

/// As a document declares it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declared {
    entity: String,
    #[serde(default = "api")]
    shape: String,
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    #[serde(default)]
    apart: Vec<String>,
    fields: Vec<FieldMapping>,
}

/// A form of records, and how they are read.
#[derive(Deserialize)]
#[serde(from = "Declared")]
pub(super) struct Shape {
    /// `api`, `export`, or `export.de` for an export in German; in the demo's document a system.
    pub(super) name: String,
    pub(super) mapping: Mapping,
    /// Paths that all records of this shape have. Without any, it is never recognised.
    has: Vec<String>,
    /// Paths that tell that the records are of another shape.
    lacks: Vec<String>,
    /// Paths that look like a field and are none: an owner's or a company's name is no id.
    apart: Vec<String>,
}

/// A shape that records have, in their own spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// Whose: `hubspot`.
    pub system: &'static str,
    /// Which: `api`, `export`, or `export.de` for an export in German.
    pub shape: &'static str,
    /// How the paths that are there are read. What the shape does not fix, such as the form of dates
    /// in an export, is not declared.
    pub mapping: Mapping,
    /// Paths that are no field of the entity, whatever they are called.
    pub apart: Vec<String>,
}

fn api() -> String {
    "api".to_owned()
}

impl From<Declared> for Shape {
    fn from(declared: Declared) -> Shape {
        Shape {
            name: declared.shape,
            mapping: Mapping {
                entity: declared.entity,
                fields: declared.fields,
            },
            has: declared.has,
            lacks: declared.lacks,
            apart: declared.apart,
        }
    }
}

/// The paths of records, found without regard to case and to blanks around a name: exports of one
/// system differ in both.
pub(super) struct Paths<'a>(HashMap<String, &'a str>);

impl<'a> Paths<'a> {
    /// Of two that are the same but for case, the first counts.
    pub(super) fn new(paths: &[&'a str]) -> Paths<'a> {
        let entries = paths.iter().rev().map(|it| (folded(it), *it));
        Paths(entries.collect())
    }

    fn own(&self, path: &str) -> Option<String> {
        self.0.get(&folded(path)).map(|it| (*it).to_owned())
    }
}

fn folded(path: &str) -> String {
    path.trim().to_lowercase()
}

impl Shape {
    pub(super) fn is_of(&self, paths: &Paths<'_>) -> bool {
        let is_there = |it: &String| paths.own(it).is_some();
        !self.has.is_empty() && self.has.iter().all(is_there) && !self.lacks.iter().any(is_there)
    }

    /// The shape with the paths as these records write them. Fields without any are left out.
    pub(super) fn recognised(&'static self, system: &'static str, paths: &Paths<'_>) -> Recognised {
        let own = |of: &[String]| of.iter().filter_map(|it| paths.own(it)).collect::<Vec<_>>();
        let fields = self.mapping.fields.iter().map(|it| FieldMapping {
            sources: own(&it.sources),
            ..it.clone()
        });
        let has_value = |it: &FieldMapping| {
            let first = it.transforms.first();
            !it.sources.is_empty() || matches!(first, Some(Transform::Constant { .. }))
        };
        Recognised {
            system,
            shape: &self.name,
            mapping: Mapping {
                entity: self.mapping.entity.clone(),
                fields: fields.filter(has_value).collect(),
            },
            apart: own(&self.apart),
        }
    }

    /// How many of these columns it reads.
    pub(super) fn reads(&self, columns: &[String]) -> usize {
        let fields = &self.mapping.fields;
        let is_read = |column: &&String| fields.iter().any(|it| it.sources.contains(column));
        columns.iter().filter(is_read).count()
    }

    /// The columns that it is told by, and those that it sets apart.
    #[cfg(test)]
    pub(super) fn columns(&self) -> impl Iterator<Item = &String> {
        self.has.iter().chain(&self.apart)
    }
}
