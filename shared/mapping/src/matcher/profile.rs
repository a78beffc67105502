//! What the sampled values of a field look like together.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use super::format::{self, Format, Typed};

/// Most bytes of a value that are read.
const MAX_BYTES: usize = 240;

/// A sampled value: its text and how the source typed it.
pub(super) type Value<'a> = (&'a str, Typed);

/// Counts, shares and sets of a field's sampled values.
#[derive(Debug)]
pub(super) struct Profile {
    /// The share of values of each format.
    pub(super) formats: [f64; Format::COUNT],
    /// The Euclidean norm of `formats`.
    pub(super) norm: f64,
    /// The mean length in characters.
    pub(super) length: f64,
    /// The share of digits, upper case, lower case, spaces, separators and other characters.
    pub(super) letters: [f64; 6],
    /// The median, where most values are numbers.
    pub(super) median: Option<f64>,
    /// Distinct values among the sampled ones, as a share.
    pub(super) distinct: f64,
    /// The share of records without a value.
    pub(super) nulls: f64,
    /// The values without case, hashed, in the order given.
    pub(super) values: Vec<u64>,
    /// The same as a sorted set.
    pub(super) set: Vec<u64>,
    /// Words of at least three letters in the values, hashed, as a sorted set.
    pub(super) words: Vec<u64>,
}

impl Profile {
    /// None without values. `nulls` of `rows` records have none.
    pub(super) fn of(values: &[Value], nulls: u64, rows: u64) -> Option<Profile> {
        if values.is_empty() {
            return None;
        }
        let mut sums = Sums::default();
        for (text, typed) in values.iter().copied() {
            sums.add(text, typed);
        }
        let rows = if rows == 0 { values.len() as u64 } else { rows };
        Some(sums.profile(values.len() as f64, nulls as f64 / rows as f64))
    }

    /// The share of values whose format is one of those.
    pub(super) fn share(&self, formats: &[Format]) -> f64 {
        formats.iter().map(|it| self.formats[*it as usize]).sum()
    }
}

#[derive(Default)]
struct Sums {
    formats: [f64; Format::COUNT],
    characters: usize,
    letters: [f64; 6],
    numbers: Vec<f64>,
    values: Vec<u64>,
    words: Vec<u64>,
}

impl Sums {
    fn add(&mut self, text: &str, typed: Typed) {
        let text = shortened(text);
        self.formats[format::of(text, typed) as usize] += 1.0;
        self.characters += text.chars().count();
        for letter in text.chars().take(60) {
            self.letters[kind_of_letter(letter)] += 1.0;
        }
        self.numbers.extend(format::number(text));
        let lower = lower_case(text.trim());
        self.values.push(hash(&lower));
        let words = lower.split(|it: char| !it.is_ascii_alphanumeric());
        let words = words.filter(|it| it.len() > 2 && !it.bytes().all(|it| it.is_ascii_digit()));
        self.words.extend(words.map(hash));
    }

    fn profile(mut self, count: f64, nulls: f64) -> Profile {
        let formats = self.formats.map(|it| it / count);
        let all = self.letters.iter().sum::<f64>().max(1.0);
        let set = sorted_set(self.values.clone());
        self.numbers.sort_by(f64::total_cmp);
        let numeric = !self.numbers.is_empty() && self.numbers.len() as f64 >= 0.6 * count;
        Profile {
            norm: formats.iter().map(|it| it * it).sum::<f64>().sqrt(),
            formats,
            length: self.characters as f64 / count,
            letters: self.letters.map(|it| it / all),
            median: numeric.then(|| self.numbers[self.numbers.len() / 2]),
            distinct: set.len() as f64 / count,
            nulls,
            values: self.values,
            set,
            words: sorted_set(self.words),
        }
    }
}

/// How many two sorted sets have in common, as a share of the smaller one.
pub(super) fn overlap(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        common += usize::from(a[i] == b[j]);
        let (x, y) = (a[i], b[j]);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    common as f64 / a.len().min(b.len()).max(1) as f64
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Most values are in lower case already.
fn lower_case(text: &str) -> Cow<'_, str> {
    let is_lower = |it: u8| it.is_ascii() && !it.is_ascii_uppercase();
    match text.bytes().all(is_lower) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.to_lowercase()),
    }
}

fn kind_of_letter(letter: char) -> usize {
    match letter {
        _ if letter.is_numeric() => 0,
        _ if letter.is_uppercase() => 1,
        _ if letter.is_lowercase() => 2,
        ' ' => 3,
        '-' | '_' | ':' | '/' | '.' | '@' => 4,
        _ => 5,
    }
}

/// The same in every run: no random seed.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn sorted_set(mut values: Vec<u64>) -> Vec<u64> {
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::super::question::Field;
    use super::*;

    fn texts<'a>(values: &[&'a str]) -> Vec<Value<'a>> {
        values.iter().map(|it| (*it, Typed::Text)).collect()
    }

    #[test]
    fn a_profile_counts_what_the_values_are() {
        let values = texts(&["10", "20", "x@y.zz", "30"]);
        let profile = Profile::of(&values, 1, 5).unwrap();
        assert_eq!(profile.share(&[Format::SmallInteger]), 0.75);
        assert_eq!(profile.share(&[Format::Email, Format::Text]), 0.25);
        assert_eq!(profile.median, Some(20.0));
        assert_eq!((profile.distinct, profile.nulls), (1.0, 0.2));
        assert!(Profile::of(&[], 5, 5).is_none());
    }

    #[test]
    fn a_long_column_is_read_evenly_and_a_long_value_only_at_its_start() {
        let field = Field {
            samples: (0..100_000).map(|it| it.to_string()).collect(),
            ..Field::default()
        };
        let profile = Profile::of(&field.values(100), 0, 100_000).unwrap();
        assert_eq!(profile.values.len(), 100);
        assert_eq!(profile.median, Some(50_000.0));
        let long = "ü".repeat(1_000_000);
        let profile = Profile::of(&[(&long, Typed::Text)], 0, 1).unwrap();
        assert_eq!(profile.length, 120.0);
    }

    #[test]
    fn overlap_is_a_share_of_the_smaller_set() {
        assert_eq!(overlap(&[1, 2, 3], &[2, 3]), 1.0);
        assert_eq!(overlap(&[1, 2, 3, 9], &[3, 4]), 0.5);
        assert_eq!(overlap(&[], &[1]), 0.0);
    }
}
