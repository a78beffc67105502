//! A compiled mapping, and running it over a record.
//!
//! `Plan::compile` checks a mapping once; `Plan::canonicalise` then reads JSON text into typed
//! cells without building a tree of it.
//!
//! **Invariant:** nothing is lost and nothing is guessed. What no field of the mapping names is
//! in `extras` as it was received; a value that does not fit its field rejects the record.

mod check;
mod compile;
mod currency;
mod decimal;
mod extended_json;
mod json;
mod kind;
mod path;
mod record;
mod run;
mod step;
#[cfg(test)]
mod tests;
mod timestamp;
mod words;

pub use decimal::Decimal;
pub use record::{Cell, Record, Reject};

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use schema::{Entity, Result, entity::Field, mapping::Mapping};

use crate::drift::Use;

use path::Node;
use step::Step;
use timestamp::Reading;

/// A mapping that was checked and made ready to run.
#[derive(Debug)]
pub struct Plan {
    entity: &'static Entity,
    /// The source fields that the mapping names.
    root: Node,
    /// How many nodes there are below `root`; each has a slot for its value.
    slots: usize,
    /// In the order of `entity.fields`; none where the mapping leaves a field out.
    columns: Vec<Option<Column>>,
    /// By source path, what hangs on it.
    uses: BTreeMap<String, Use>,
    /// The source paths that are read as numbers.
    numbers: BTreeSet<String>,
}

/// How one canonical field comes about.
#[derive(Debug)]
struct Column {
    field: &'static Field,
    origin: Origin,
    steps: Vec<Step>,
    reading: Reading,
}

/// Where a column's value comes from; numbers are slots.
#[derive(Debug)]
enum Origin {
    Constant(String),
    First(Vec<usize>),
    Join {
        slots: Vec<usize>,
        separator: String,
    },
}

impl Plan {
    /// Checks a mapping and makes it ready to run. Names every fault it finds.
    pub fn compile(mapping: &Mapping) -> Result<Plan> {
        compile::compile(mapping)
    }

    /// The entity whose records come out.
    pub fn entity(&self) -> &'static Entity {
        self.entity
    }

    /// What hangs on the source field at that path.
    pub fn use_of(&self, path: &str) -> Use {
        self.uses.get(path).copied().unwrap_or(Use::UNUSED)
    }

    /// Whether the source field at that path is read as a number.
    pub fn is_number(&self, path: &str) -> bool {
        self.numbers.contains(path)
    }

    /// The source id of a record of which only the key needs to be there: a delete.
    pub fn source_id(&self, json: &str) -> Result<String, Reject> {
        Ok(run::key(self, json)?.source_id().into_owned())
    }

    /// The source id of a record that may be wrong in other fields, and its version where it has
    /// one. None where the id cannot be read.
    pub fn identify(&self, json: &str) -> Option<(String, Option<DateTime<Utc>>)> {
        let record = run::key_and_version(self, json);
        let record = record.or_else(|_| run::key(self, json)).ok()?;
        Some((record.source_id().into_owned(), record.version()))
    }

    /// Reads one JSON object into a canonical record, which borrows from both.
    pub fn canonicalise<'a>(&'a self, json: &'a str) -> Result<Record<'a>, Reject> {
        run::run(self, json)
    }

    /// The same, from bytes that may turn out not to be UTF-8.
    pub fn canonicalise_bytes<'a>(&'a self, json: &'a [u8]) -> Result<Record<'a>, Reject> {
        match std::str::from_utf8(json) {
            Ok(json) => self.canonicalise(json),
            Err(err) => Err(Reject::whole(format!(
                "not UTF-8 from byte {}",
                err.valid_up_to()
            ))),
        }
    }
}
