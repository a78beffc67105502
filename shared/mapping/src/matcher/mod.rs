//! The field matcher: proposes which field of an object is which field of an entity.
//!
//! A pair of fields is described by its features (`features`), weighed by a model in two stages
//! (the pair alone, then among its rivals), assigned one to one, and given a probability that was
//! counted on cases apart. Words and weights are the files under `data/`.
//!
//! **Invariant:** pure and deterministic: no I/O, no clock, no random numbers; the same question
//! has the same answer, whatever the order of maps.

mod answer;
mod assignment;
mod by_values;
mod calibration;
mod candidates;
mod concepts;
mod context;
mod decision;
mod dictionary;
mod entity;
mod explain;
mod features;
mod form;
mod format;
#[cfg(test)]
mod header_tests;
mod implied;
mod key;
mod lone_name;
mod memory;
mod model;
mod normal_form;
mod path_of_name;
mod profile;
mod propose;
mod question;
mod sample;
mod scorer;
pub(crate) mod spelling;
#[cfg(test)]
mod tests;
mod tokens;
pub mod training;

pub use answer::{ALTERNATIVES, Alternative, Match, answer, answer_with};
pub use by_values::{Ranked, is_rich_in_values, rank_by_values};
pub use decision::Decision;
pub use entity::RankedEntity;
pub use explain::Factor;
pub use key::{KeyCandidate, KeyCount, is_descriptive, key_fields, key_pairs};
pub use memory::{Memory, Remembered, Verdict};
pub use model::Model;
pub use propose::{Aligned, AlternativeSource, FieldProposal, ObjectProposal, propose, repair};
pub use question::{Field, Question, Task};
pub use sample::{FieldSample, ObjectSample, Target, TargetEntity};

/// Further names of a canonical field: `company name` for an account's `name`.
pub fn aliases(entity: &str, field: &str) -> &'static [String] {
    dictionary::dictionary().aliases(entity, field)
}

/// The words for the records of a canonical entity themselves, which say nothing within the name
/// of a field; none for an entity that the platform does not ship.
pub fn entity_words(entity: &str) -> Option<&'static [String]> {
    dictionary::dictionary().entity_words(entity)
}
