//! An observation at rest, so that a stream of single events can add up to enough records.

use schema::source::SourceTypes;
use serde::{Deserialize, Serialize};

use super::tree::{Id, ROOT, Tree};
use super::{Coverage, Observation};

/// An [`Observation`] as it is written down.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    coverage: Coverage,
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

impl From<Observation> for Stored {
    fn from(observation: Observation) -> Stored {
        let Observation { coverage, tree } = observation;
        Stored {
            coverage,
            overflow: tree.overflow,
            fields: tree.stored().collect(),
        }
    }
}

impl TryFrom<Stored> for Observation {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Observation, &'static str> {
        let mut tree = Tree::new();
        let mut places = Vec::with_capacity(stored.fields.len());
        for field in &stored.fields {
            let place = match (places.get(field.parent as usize), &field.key) {
                _ if places.is_empty() => Some(ROOT),
                (None, _) => return Err("a field stands before what holds it"),
                (Some(&parent), None) => tree.elements(parent),
                (Some(&parent), Some(key)) => tree.child(parent, key, parent),
            };
            let place = place.ok_or("there are more paths than an observation holds")?;
            tree.add(place, field);
            places.push(place);
        }
        tree.overflow = stored.overflow;
        Ok(Observation {
            coverage: stored.coverage,
            tree,
        })
    }
}
