//! A compiled mapping, and running it over a record.
//!
//! `Plan::compile` checks a mapping once; `Plan::canonicalise` then reads JSON text into typed
//! cells without building a tree of it.
//!
//! **Invariant:** nothing is lost and nothing is guessed. What no field of the mapping names is
//! in `extras` as it was received; a value that does not fit its field rejects the record.

use std::collections::{BTreeMap, BTreeSet};

use schema::entity::{self, EntityRef, Field};

use crate::field_use::FieldUse;
use crate::path::Node;
use crate::timestamp::Reading;
use crate::transforms::{Combination, Items, Step};

/// A mapping that was checked and made ready to run.
#[derive(Debug)]
pub struct Plan {
    pub(crate) entity: EntityRef,
    /// The source fields that the mapping names.
    pub(crate) root: Node,
    /// How many nodes there are below `root`; each has a slot for its value.
    pub(crate) slots: usize,
    /// In the order of `entity.fields`; none where the mapping leaves a field out.
    pub(crate) columns: Vec<Option<Column>>,
    /// By source path, what hangs on it.
    pub(crate) uses: BTreeMap<String, FieldUse>,
    /// The source paths that are read as numbers.
    pub(crate) numbers: BTreeSet<String>,
}

/// How one canonical field comes about.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) field: Field,
    pub(crate) origin: Origin,
    pub(crate) steps: Vec<Step>,
    pub(crate) reading: Reading,
}

/// Where a column's value comes from; numbers are slots.
#[derive(Debug)]
pub(crate) enum Origin {
    Constant(String),
    First(Vec<usize>),
    /// As the former, and the hash of the record where there is none.
    ContentHash(Vec<usize>),
    Combined(Vec<usize>, Box<dyn Combination>),
    Items(Vec<usize>, Items),
}

impl Plan {
    /// The plan of an object that has no mapping: a record is checked as JSON, and becomes nothing.
    pub fn unmapped() -> Plan {
        Plan {
            entity: entity::UNMAPPED.into(),
            root: Node::default(),
            slots: 0,
            columns: Vec::new(),
            uses: BTreeMap::new(),
            numbers: BTreeSet::new(),
        }
    }

    /// Whether it is one of an object that has no mapping: its records have no id of their own.
    pub fn is_unmapped(&self) -> bool {
        self.entity.is_unmapped()
    }

    /// The entity whose records come out.
    pub fn entity(&self) -> &EntityRef {
        &self.entity
    }

    /// The source fields that the mapping reads, by path.
    pub fn sources(&self) -> impl Iterator<Item = (&str, FieldUse)> {
        self.uses.iter().map(|(path, of)| (path.as_str(), *of))
    }

    /// What hangs on the source field at that path.
    pub fn use_of(&self, path: &str) -> FieldUse {
        self.uses.get(path).copied().unwrap_or(FieldUse::UNUSED)
    }

    /// Whether the source field at that path is read as a number.
    pub fn is_number(&self, path: &str) -> bool {
        self.numbers.contains(path)
    }
}
