//! The types a source's values have, as a small set.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of value a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceType {
    /// A list.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A calendar date.
    Date,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// A nested record.
    Object,
    /// Unicode text.
    Text,
    /// An instant, or a date with a time.
    Timestamp,
}

impl SourceType {
    /// All of them, in the order of their words.
    pub const ALL: [SourceType; 8] = [
        SourceType::Array,
        SourceType::Boolean,
        SourceType::Date,
        SourceType::Decimal,
        SourceType::Integer,
        SourceType::Object,
        SourceType::Text,
        SourceType::Timestamp,
    ];
}

/// A set of types. On the wire a sorted list of words.
///
/// Whoever reads decimals also reads integers, and whoever reads timestamps also reads dates; the
/// narrower word is left out beside the wider one, so that `1` among `0.5`s is no change of type.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(from = "Vec<SourceType>", into = "Vec<SourceType>")]
#[schema(value_type = Vec<SourceType>)]
pub struct SourceTypes(u8);

impl SourceTypes {
    /// The empty set: no value is known.
    pub const NONE: SourceTypes = SourceTypes(0);

    /// The set of one.
    pub const fn of(one: SourceType) -> SourceTypes {
        SourceTypes(1 << one as u8)
    }

    /// Whether no value is known.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether values of the type fit.
    pub const fn contains(self, one: SourceType) -> bool {
        self.covers(SourceTypes::of(one))
    }

    /// Whether every value that fits `other` fits here.
    pub const fn covers(self, other: SourceTypes) -> bool {
        self.union(other).0 == self.0
    }

    /// The smallest set that covers both.
    #[must_use]
    pub const fn union(self, other: SourceTypes) -> SourceTypes {
        let mut bits = self.0 | other.0;
        if bits & SourceTypes::of(SourceType::Decimal).0 != 0 {
            bits &= !SourceTypes::of(SourceType::Integer).0;
        }
        if bits & SourceTypes::of(SourceType::Timestamp).0 != 0 {
            bits &= !SourceTypes::of(SourceType::Date).0;
        }
        SourceTypes(bits)
    }

    /// The words, sorted.
    pub fn iter(self) -> impl Iterator<Item = SourceType> {
        SourceType::ALL
            .into_iter()
            .filter(move |&it| self.0 & SourceTypes::of(it).0 != 0)
    }

    /// The set as bits, for hashing.
    pub(super) const fn bits(self) -> u8 {
        self.0
    }
}

impl FromIterator<SourceType> for SourceTypes {
    fn from_iter<I: IntoIterator<Item = SourceType>>(types: I) -> SourceTypes {
        types
            .into_iter()
            .fold(SourceTypes::NONE, |set, it| set.union(SourceTypes::of(it)))
    }
}

impl From<Vec<SourceType>> for SourceTypes {
    fn from(types: Vec<SourceType>) -> SourceTypes {
        types.into_iter().collect()
    }
}

impl From<SourceTypes> for Vec<SourceType> {
    fn from(types: SourceTypes) -> Vec<SourceType> {
        types.iter().collect()
    }
}

impl std::fmt::Debug for SourceTypes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_word_stands_for_the_narrower() {
        use SourceType::*;
        let set = |types: &[SourceType]| types.iter().copied().collect::<SourceTypes>();

        assert_eq!(set(&[Integer, Decimal]), set(&[Decimal]));
        assert_eq!(set(&[Timestamp, Date]), set(&[Timestamp]));
        assert!(set(&[Decimal]).covers(set(&[Integer])));
        assert!(!set(&[Integer]).covers(set(&[Decimal])));
        assert!(!set(&[Text]).covers(set(&[Integer])));
        assert!(set(&[Text]).covers(SourceTypes::NONE));
    }

    #[test]
    fn words_are_sorted_and_come_back() {
        let json = serde_json::to_string(&SourceTypes::from_iter(SourceType::ALL)).unwrap();
        assert_eq!(
            json,
            r#"["array","boolean","decimal","object","text","timestamp"]"#
        );
        let types: SourceTypes = serde_json::from_str(r#"["text","boolean","text"]"#).unwrap();
        assert_eq!(
            serde_json::to_string(&types).unwrap(),
            r#"["boolean","text"]"#
        );
    }
}
