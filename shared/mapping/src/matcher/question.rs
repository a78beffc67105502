//! What the matcher is asked: which of these sources feeds which of these targets.

use schema::source::SourceType;

use super::format::Typed;

/// What kind of pairs are looked for. Each kind has its own calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Fields of one system onto those of another. A source may feed several targets.
    Mapping,
    /// Fields of a system onto canonical ones: never decided without a person.
    Canonical,
    /// Lost fields of an object (the targets) onto those that were added (the sources).
    Drift {
        /// Whether the samples of both are of the same records, in the same order.
        aligned: bool,
    },
}

/// A field by its names and some of its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Field {
    /// The segments of its path joined by dots, `[]` after a list: `owner.emails[]`.
    pub name: String,
    /// Other names: the label that the source shows, synonyms of a target.
    pub aliases: Vec<String>,
    /// The type of its values; none where it is unknown or mixed.
    pub kind: Option<SourceType>,
    /// Values as text, repeated as they occur, without nulls. Of many, 32 are read, evenly
    /// spread, and of each the first 240 bytes.
    pub samples: Vec<String>,
    /// Records among which the samples were taken; 0 where that is not known.
    pub rows: u64,
    /// Those of them without a value.
    pub nulls: u64,
    /// Whether its values may be of another kind than its name implies: an owner's id that may
    /// also be an address.
    pub any_values: bool,
}

/// Sources and targets, of which pairs are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What kind of pairs.
    pub task: Task,
    /// The fields that have values.
    pub sources: &'a [Field],
    /// The fields that need one.
    pub targets: &'a [Field],
    /// Words for the record itself, which say nothing in a field's name: `company`, `account`.
    pub entity_words: &'a [String],
}

impl Field {
    /// At most that many samples, evenly spread, with the type that each has.
    pub(super) fn values(&self, most: usize) -> Vec<(&str, Typed)> {
        let typed = |text: &str| match self.kind {
            Some(SourceType::Boolean) => Typed::Boolean,
            Some(SourceType::Integer | SourceType::Decimal) => typed_number(text),
            _ => Typed::Text,
        };
        let all = self.samples.len();
        let take = all.min(most);
        let value = |it: usize| self.samples[it * all / take].as_str();
        let values = (0..take).map(value);
        values.map(|it| (it, typed(it))).collect()
    }
}

fn typed_number(text: &str) -> Typed {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit()) {
        Typed::Integer
    } else if text.parse::<f64>().is_ok() {
        Typed::Decimal
    } else {
        Typed::Text
    }
}
