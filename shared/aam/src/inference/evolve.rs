//! From what was known and what was seen to what the source has now.

use std::collections::HashMap;

use schema::source::{SourceField, SourceSchema, parent_path};

use super::{MIN_EVIDENCE, SchemaInference, Seen};

/// The structure that the source seems to have now: the snapshot, widened by what was seen,
/// without what is gone. Drift is the [`diff`](crate::drift::diff) from the baseline to it.
///
/// - Types only widen. A narrower value proves nothing about the next one.
/// - A field becomes nullable when it was null, or missing beside others that had it.
/// - A new field enters as [`SchemaInference::schema`] has it.
/// - A field that was not seen is gone
///   - from a complete source at once, if the object around it was seen;
///   - from a partial one if the snapshot says that it was never missing and at least [`MIN_EVIDENCE`]
///     of the objects around it lacked it. Fewer prove nothing, neither that it is gone nor that
///     it became nullable: a renamed field would be forgiven record by record.
/// - What was in a field that is gone is gone with it. An array's elements never go alone: it may
///   just be empty.
/// - An observation that saw no field, or had no room for one, removes nothing.
///
/// Absorbing the same observation again changes nothing.
pub fn evolve(snapshot: &SourceSchema, observation: &SchemaInference) -> SourceSchema {
    let sight = Evidence::new(observation);
    let mut now = SourceSchema::default();
    for (path, known) in &snapshot.fields {
        if sight.is_gone(path, snapshot) {
            continue;
        }
        let field = match sight.seen.get(path.as_str()) {
            Some(seen) => sight.widen(known, seen),
            None => known.clone(),
        };
        now.fields.insert(path.clone(), field);
    }
    for seen in sight.seen.values() {
        if !now.fields.contains_key(seen.path) {
            now.fields
                .insert(seen.path.to_owned(), observation.field(seen));
        }
    }
    now
}

/// An observation by path.
struct Evidence<'a> {
    observation: &'a SchemaInference,
    seen: HashMap<&'a str, Seen<'a>>,
}

impl<'a> Evidence<'a> {
    fn new(observation: &'a SchemaInference) -> Evidence<'a> {
        let seen = observation.tree.fields().map(|it| (it.path, it)).collect();
        Evidence { observation, seen }
    }

    fn widen(&self, known: &SourceField, seen: &Seen<'_>) -> SourceField {
        SourceField {
            types: self
                .observation
                .coverage
                .settle(known.types.union(seen.types)),
            nullable: known.nullable || seen.present < seen.chances,
            ..known.clone()
        }
    }

    fn is_gone(&self, path: &str, snapshot: &SourceSchema) -> bool {
        if self.seen.is_empty() || 0 < self.observation.overflow() || path.is_empty() {
            return false;
        }
        let parent = parent_path(path);
        self.is_missing(path, parent, snapshot) || self.is_gone(parent, snapshot)
    }

    /// Whether the field itself was missing often enough, whatever is around it.
    fn is_missing(&self, path: &str, parent: &str, snapshot: &SourceSchema) -> bool {
        if self.seen.contains_key(path) || path.ends_with("[]") {
            return false;
        }
        let chances = match parent {
            "" => self.observation.records(),
            parent => self.seen.get(parent).map_or(0, |it| it.objects),
        };
        if self.observation.is_complete() {
            // A header tells without any row.
            return parent.is_empty() || 0 < chances;
        }
        MIN_EVIDENCE <= chances && snapshot.fields.get(path).is_some_and(|it| !it.nullable)
    }
}
