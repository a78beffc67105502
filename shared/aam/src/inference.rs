//! The structure that records have, learnt from the records themselves.
//!
//! **Invariant:** an observation holds names, types and counts, never values. Its size is bounded
//! by [`MAX_PATHS`] whatever the records hold.

mod evolve;
mod stored;
mod tree;
mod walk;

use schema::source::{SourceField, SourceSchema, SourceType, SourceTypes};
use serde::de::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use evolve::evolve;
use stored::Stored;
use tree::{ROOT, Tree};

/// More paths than this are counted, not kept.
pub const MAX_PATHS: usize = 10_000;

/// Objects nested deeper than this are an `object` without fields.
pub const MAX_DEPTH: u8 = 8;

/// How many records a field must be in, or missing from, before "always" or "gone" is believed.
pub const MIN_EVIDENCE: u64 = 100;

/// Whether a field that was not seen is known not to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldCoverage {
    /// A file's header names all columns. Their values are texts, typed by a profile.
    Header,
    /// Each record holds all fields: an API that always sends every one.
    Complete,
    /// Each record holds what there is: a stream of events.
    Partial,
}

impl FieldCoverage {
    /// The types of a field in which all of these were seen.
    ///
    /// A column that is numbers in one file and words in the next is text in both; a JSON value
    /// has the type it has.
    fn settle(self, types: SourceTypes) -> SourceTypes {
        match self {
            FieldCoverage::Header if 1 < types.iter().count() => SourceTypes::of(SourceType::Text),
            _ => types,
        }
    }
}

/// One column of a file, as its reader profiled it.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The name in the header.
    pub name: &'a str,
    /// The types of its values.
    pub types: SourceTypes,
    /// How many rows have a value.
    pub present: u64,
}

/// What was seen in some records of one source object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct SchemaInference {
    coverage: FieldCoverage,
    tree: Tree,
}

impl SchemaInference {
    pub fn new(coverage: FieldCoverage) -> SchemaInference {
        SchemaInference {
            coverage,
            tree: Tree::new(),
        }
    }

    /// Counts one record: a JSON object.
    ///
    /// Broken text is counted up to the break, and not every break is found; parse a record before
    /// observing it, as quarantine demands anyway.
    pub fn observe_json(&mut self, json: &[u8]) -> serde_json::Result<()> {
        walk::record(&mut self.tree, json).ok_or_else(|| {
            let parsed = serde_json::from_slice::<Map<String, Value>>(json);
            parsed
                .err()
                .unwrap_or_else(|| Error::custom("record: is not a JSON object"))
        })
    }

    /// Counts the rows of one file, or of one part of it.
    pub fn observe_columns(&mut self, columns: &[Column<'_>], rows: u64) {
        self.tree.count_objects(ROOT, rows);
        for column in columns {
            if let Some(node) = self.tree.child(ROOT, column.name, ROOT) {
                self.tree.count_values(node, column.types, column.present);
            }
        }
    }

    /// The same fields, as if no record had been seen: the columns of a file that has no rows.
    pub fn names(&self) -> SchemaInference {
        let mut names = self.clone();
        names.tree.forget_values();
        names
    }

    /// Adds what another observation of the same source object saw.
    ///
    /// Of different coverage, together they are partial.
    pub fn merge(&mut self, other: &SchemaInference) {
        if other.coverage != self.coverage {
            self.coverage = FieldCoverage::Partial;
        }
        self.tree.merge(&other.tree);
    }

    /// Whether a field that was not seen is known not to exist.
    pub fn coverage(&self) -> FieldCoverage {
        self.coverage
    }

    /// How many records were seen.
    pub fn records(&self) -> u64 {
        self.tree.node(ROOT).objects
    }

    /// How many times a field was met for which there was no room.
    pub fn overflow(&self) -> u64 {
        self.tree.overflow
    }

    /// Whether a field that was not seen is known not to exist.
    pub fn is_complete(&self) -> bool {
        self.coverage != FieldCoverage::Partial && self.tree.overflow == 0
    }

    /// The structure of these records alone: the first snapshot of a source object.
    ///
    /// A field counts as always there only if [`MIN_EVIDENCE`] objects had it and none lacked it. To begin
    /// with "may be missing" costs nothing; "always there" learnt from three records would turn
    /// the fourth one into a drift.
    pub fn schema(&self) -> SourceSchema {
        let fields = self
            .tree
            .fields()
            .map(|seen| (seen.path.to_owned(), self.field(&seen)));
        SourceSchema {
            fields: fields.collect(),
        }
    }

    fn field(&self, seen: &Seen<'_>) -> SourceField {
        SourceField {
            types: self.coverage.settle(seen.types),
            nullable: seen.present < seen.chances.max(MIN_EVIDENCE),
            ..SourceField::default()
        }
    }
}

/// What was seen of one field.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    path: &'a str,
    types: SourceTypes,
    /// How often it had a value.
    present: u64,
    /// How many objects were seen in it.
    objects: u64,
    /// How often it could have been there: the objects seen at its parent.
    chances: u64,
}

#[cfg(test)]
mod tests;
