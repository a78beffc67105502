//! The concepts of one question, numbered, with what is known of each and how alike two are.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;

use super::dictionary::{Dictionary, dictionary};
use super::spelling::{is_subsequence, jaro_winkler};

/// A concept's number in its question.
pub(super) type Concept = u32;

/// How many concepts have their similarities kept: the table is quadratic, 16 MB at most.
const KEPT: usize = 2_000;
const UNKNOWN: f32 = -1.0;
/// Parts of an object that stand for the object: `status.name` for `status`.
const LEAVES: [&str; 14] = [
    "id", "name", "value", "key", "code", "text", "date", "url", "label", "title", "number",
    "display", "content", "amount",
];

/// All concepts that occur in a question.
pub(super) struct Concepts {
    numbers: HashMap<String, Concept>,
    facts: Vec<Facts>,
    similarities: OnceCell<Vec<Cell<f32>>>,
}

struct Facts {
    text: String,
    idf: f64,
    qualifier: bool,
    strong_qualifier: bool,
    generic: bool,
    leaf: bool,
}

impl Concepts {
    pub(super) fn new() -> Concepts {
        let mut concepts = Concepts {
            numbers: HashMap::new(),
            facts: Vec::new(),
            similarities: OnceCell::new(),
        };
        concepts.number("id");
        concepts
    }

    /// The concept `id`, which every question has.
    pub(super) const ID: Concept = 0;

    /// The number of that concept.
    pub(super) fn number(&mut self, text: &str) -> Concept {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let dictionary = dictionary();
        let number = self.facts.len() as Concept;
        self.numbers.insert(text.to_owned(), number);
        self.facts.push(Facts {
            text: text.to_owned(),
            idf: dictionary.idf(text),
            qualifier: dictionary.qualifiers.contains(text),
            strong_qualifier: dictionary.strong_qualifiers.contains(text),
            generic: dictionary.generic_heads.contains(text),
            leaf: LEAVES.contains(&text),
        });
        self.similarities.take();
        number
    }

    pub(super) fn text(&self, concept: Concept) -> &str {
        &self.facts[concept as usize].text
    }

    pub(super) fn idf(&self, concept: Concept) -> f64 {
        self.facts[concept as usize].idf
    }

    pub(super) fn is_qualifier(&self, concept: Concept) -> bool {
        self.facts[concept as usize].qualifier
    }

    pub(super) fn is_strong_qualifier(&self, concept: Concept) -> bool {
        self.facts[concept as usize].strong_qualifier
    }

    pub(super) fn is_generic(&self, concept: Concept) -> bool {
        self.facts[concept as usize].generic
    }

    pub(super) fn is_leaf(&self, concept: Concept) -> bool {
        self.facts[concept as usize].leaf
    }

    pub(super) fn conflict(&self, a: Concept, b: Concept) -> bool {
        dictionary().conflict(self.text(a), self.text(b))
    }

    /// How alike two concepts are, 0 to 1: equal, related by the lists, written alike, one the
    /// start of the other, one an abbreviation of the other.
    pub(super) fn similarity(&self, a: Concept, b: Concept) -> f64 {
        if a == b {
            return 1.0;
        }
        let count = self.facts.len();
        let fresh = || similarity(dictionary(), self.text(a), self.text(b));
        if count > KEPT {
            return fresh();
        }
        let kept = self
            .similarities
            .get_or_init(|| vec![Cell::new(UNKNOWN); count * count]);
        let slot = &kept[a.min(b) as usize * count + a.max(b) as usize];
        if slot.get() == UNKNOWN {
            slot.set(fresh() as f32);
        }
        f64::from(slot.get())
    }

    /// The share of `of` that is found in `found`, each concept weighed by what it tells and
    /// counted by its closest counterpart.
    pub(super) fn coverage(&self, of: &[Concept], found: &[Concept]) -> f64 {
        let (mut covered, mut all) = (0.0, 0.0);
        for &concept in of {
            let idf = self.idf(concept);
            all += idf;
            if found.contains(&concept) {
                covered += idf;
                continue;
            }
            let closest = |best: f64, &it: &Concept| best.max(self.similarity(concept, it));
            covered += idf * found.iter().fold(0.0, closest);
        }
        if all > 0.0 { covered / all } else { 0.0 }
    }

    /// What the concepts tell together.
    pub(super) fn weight<'a>(&self, of: impl IntoIterator<Item = &'a Concept>) -> f64 {
        of.into_iter().map(|it| self.idf(*it)).sum()
    }
}

fn similarity(dictionary: &Dictionary, a: &str, b: &str) -> f64 {
    if let Some(relation) = dictionary.relation(a, b) {
        return relation;
    }
    let lengths = (a.chars().count(), b.chars().count());
    if lengths.0.min(lengths.1) < 3 {
        return 0.0;
    }
    let written = jaro_winkler(a, b);
    if written >= 0.9 && lengths.0.abs_diff(lengths.1) <= 3 {
        return 0.8 * written;
    }
    if lengths.0.min(lengths.1) >= 4 && (a.starts_with(b) || b.starts_with(a)) {
        return 0.6;
    }
    let (short, long) = if lengths.0 < lengths.1 {
        (a, b)
    } else {
        (b, a)
    };
    let abbreviates = short.chars().count() <= 4
        && long.chars().count() >= 5
        && short.chars().next() == long.chars().next()
        && is_subsequence(short, long);
    if abbreviates { 0.45 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concepts_are_alike_by_lists_or_by_spelling() {
        let mut concepts = Concepts::new();
        let mut check = |a: &str, b: &str, want: f64| {
            let (a, b) = (concepts.number(a), concepts.number(b));
            let got = concepts.similarity(a, b);
            assert!((got - want).abs() < 1e-6, "{got}");
            assert_eq!(concepts.similarity(b, a), got);
        };
        check("account", "account", 1.0);
        check("account", "company", 0.75);
        check("quarterly", "quarter", 0.8 * 0.955_555_5);
        check("frobnicate", "frobnicator", 0.8 * 0.943_636_364);
        check("frob", "frobnicate", 0.6);
        check("fbc", "frobnicate", 0.45);
        check("xy", "xyz", 0.0);
    }
}
