//! An observation at rest, so that a stream of single events can add up to enough records.

use schema::source::SourceTypes;
use serde::{Deserialize, Serialize};

use super::tree::{Id, ROOT, Tree};
use super::{FieldCoverage, SchemaInference};

/// An [`SchemaInference`] as it is written down.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    coverage: FieldCoverage,
    overflow: u64,
    /// The record itself, then each field after the object or array that holds it.
    fields: Vec<Field>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Field {
    /// The place in the list of what holds it.
    pub(super) parent: Id,
    /// None for the elements of an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Box<str>>,
    pub(super) types: SourceTypes,
    pub(super) present: u64,
    pub(super) nulls: u64,
    pub(super) objects: u64,
}

impl From<SchemaInference> for Stored {
    fn from(observation: SchemaInference) -> Stored {
        let SchemaInference { coverage, tree } = observation;
        Stored {
            coverage,
            overflow: tree.overflow,
            fields: tree.stored().collect(),
        }
    }
}

impl TryFrom<Stored> for SchemaInference {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<SchemaInference, &'static str> {
        let mut tree = Tree::new();
        let mut places = Vec::with_capacity(stored.fields.len());
        for field in &stored.fields {
            let place = match (places.get(field.parent as usize), &field.key) {
                _ if places.is_empty() => Some(ROOT),
                (None, _) => return Err("a field comes before the one that contains it"),
                (Some(&parent), None) => tree.elements(parent),
                (Some(&parent), Some(key)) => tree.child(parent, key, parent),
            };
            let place = place.ok_or("there are more paths than an observation holds")?;
            tree.add(place, field);
            places.push(place);
        }
        tree.overflow = stored.overflow;
        Ok(SchemaInference {
            coverage: stored.coverage,
            tree,
        })
    }
}
