//! The word lists: `data/dictionaries.json`, read once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::tokens;

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let lists = serde_json::from_str(include_str!("data/dictionaries.json"));
    Dictionary::new(lists.expect("the word lists are valid; a test reads them"))
});

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    noise_segments: HashSet<String>,
    vendor_prefixes: HashSet<String>,
    suffix_noise: HashSet<String>,
    drop_words: HashSet<String>,
    abbreviations: HashMap<String, String>,
    synonym_groups: Vec<String>,
    weak_relations: Vec<(String, String, f64)>,
    phrases: HashMap<String, String>,
    translations: HashMap<String, String>,
    conflicts: Vec<(String, String)>,
    qualifiers: HashSet<String>,
    strong_qualifiers: HashSet<String>,
    date_words: HashSet<String>,
    numeric_words: HashSet<String>,
    boolean_words: HashSet<String>,
    text_words: HashSet<String>,
    generic_heads: HashSet<String>,
    entity_words: BTreeMap<String, Vec<String>>,
    aliases: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    vocabulary: HashMap<String, f64>,
    idf: Idf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Idf {
    default: f64,
    table: HashMap<String, f64>,
}

/// What is known of words.
pub(super) struct Dictionary {
    /// Parts of a path that say nothing: `properties`, `attributes`.
    pub(super) noise_segments: HashSet<String>,
    /// What vendors put before a name: `hs`, `zcrm`.
    pub(super) vendor_prefixes: HashSet<String>,
    /// What vendors put after a name: `c`, `v2`.
    pub(super) suffix_noise: HashSet<String>,
    /// Articles and prepositions.
    pub(super) drop_words: HashSet<String>,
    /// The first word of the group of synonyms that a word belongs to.
    pub(super) synonyms: HashMap<String, String>,
    /// The length of the longest phrase, in words.
    pub(super) longest_phrase: usize,
    /// What names of the type date say besides their date: `created`.
    pub(super) date_words: HashSet<String>,
    pub(super) numeric_words: HashSet<String>,
    pub(super) boolean_words: HashSet<String>,
    pub(super) text_words: HashSet<String>,
    /// Words that restrict a name: `billing`.
    pub(super) qualifiers: HashSet<String>,
    /// Words that make another field of it: `max`, `previous`.
    pub(super) strong_qualifiers: HashSet<String>,
    /// Words that alone say little: `id`, `name`.
    pub(super) generic_heads: HashSet<String>,
    expansions: [HashMap<String, Vec<String>>; 2],
    phrases: HashMap<String, Vec<String>>,
    weak: HashMap<String, HashMap<String, f64>>,
    conflicts: HashMap<String, HashSet<String>>,
    entity_words: BTreeMap<String, Vec<String>>,
    aliases: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    vocabulary: HashMap<String, f64>,
    idf: Idf,
}

/// The word lists of the platform.
pub(super) fn dictionary() -> &'static Dictionary {
    &DICTIONARY
}

impl Dictionary {
    fn new(lists: Lists) -> Dictionary {
        let mut synonyms = HashMap::new();
        for group in &lists.synonym_groups {
            let first = group.split(' ').next().unwrap_or_default();
            for word in group.split(' ') {
                synonyms.entry(word.to_owned()).or_insert(first.to_owned());
            }
        }
        let longest_phrase = lists.phrases.keys().map(|it| it.split(' ').count()).max();
        let mut weak = HashMap::<_, HashMap<_, _>>::new();
        for (a, b, it) in lists.weak_relations {
            weak.entry(a.clone()).or_default().insert(b.clone(), it);
            weak.entry(b).or_default().insert(a, it);
        }
        let mut conflicts = HashMap::<_, HashSet<_>>::new();
        for (a, b) in lists.conflicts {
            conflicts.entry(a.clone()).or_default().insert(b.clone());
            conflicts.entry(b).or_default().insert(a);
        }
        Dictionary {
            noise_segments: lists.noise_segments,
            vendor_prefixes: lists.vendor_prefixes,
            suffix_noise: lists.suffix_noise,
            drop_words: lists.drop_words,
            synonyms,
            longest_phrase: longest_phrase.unwrap_or(1),
            date_words: lists.date_words,
            numeric_words: lists.numeric_words,
            boolean_words: lists.boolean_words,
            text_words: lists.text_words,
            qualifiers: lists.qualifiers,
            strong_qualifiers: lists.strong_qualifiers,
            generic_heads: lists.generic_heads,
            expansions: [
                split_values(lists.translations),
                split_values(lists.abbreviations),
            ],
            phrases: split_values(lists.phrases),
            weak,
            conflicts,
            entity_words: lists.entity_words,
            aliases: lists.aliases,
            vocabulary: lists.vocabulary,
            idf: lists.idf,
        }
    }

    /// What an abbreviation or a foreign word stands for. A word that is English already stands
    /// for itself, unless only the translations know it.
    pub(super) fn expansion(&self, word: &str) -> Option<&[String]> {
        let [translations, abbreviations] = &self.expansions;
        let translation = translations.get(word);
        let found = if self.synonyms.contains_key(word) {
            translation
        } else {
            translation.or_else(|| abbreviations.get(word))
        };
        found.map(Vec::as_slice)
    }

    /// Whether any list has the word, so that it is not taken apart.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.synonyms.contains_key(word)
            || self.vocabulary.contains_key(word)
            || self.expansions.iter().any(|it| it.contains_key(word))
    }

    /// What a part of a glued name costs: the negative logarithm of how often the word occurs, or
    /// 9 where only the other lists have it.
    pub(super) fn cost(&self, word: &str) -> Option<f64> {
        let [translations, _] = &self.expansions;
        let listed = |it: &str| self.synonyms.contains_key(it);
        let plural = || {
            let one = word.strip_suffix('s').filter(|_| word.len() > 4);
            one.is_some_and(|it| self.vocabulary.contains_key(it) || listed(it))
        };
        self.vocabulary.get(word).copied().or_else(|| {
            (listed(word) || translations.contains_key(word) || plural()).then_some(9.0)
        })
    }

    /// Whether it occurs in names as a word of its own.
    pub(super) fn is_common(&self, word: &str) -> bool {
        self.vocabulary.contains_key(word)
    }

    /// What a phrase stands for.
    pub(super) fn phrase(&self, words: &[String]) -> Option<&[String]> {
        let phrase = match words {
            [word] => self.phrases.get(word),
            _ => self.phrases.get(&words.join(" ")),
        };
        phrase.map(Vec::as_slice)
    }

    /// How closely two concepts are related that are no synonyms.
    pub(super) fn relation(&self, a: &str, b: &str) -> Option<f64> {
        self.weak.get(a)?.get(b).copied()
    }

    /// Whether one name with the one concept and one with the other mean different things.
    pub(super) fn conflict(&self, a: &str, b: &str) -> bool {
        self.conflicts.get(a).is_some_and(|it| it.contains(b))
    }

    /// How much a concept tells: ln of the share of names that do not have it.
    pub(super) fn idf(&self, concept: &str) -> f64 {
        let listed = self.idf.table.get(concept);
        listed.copied().unwrap_or(self.idf.default)
    }

    /// The words for the entity itself; none for one that the platform does not ship.
    pub(super) fn entity_words(&self, entity: &str) -> Option<&[String]> {
        self.entity_words.get(entity).map(Vec::as_slice)
    }

    /// Whether it is a word for the records of any canonical entity.
    pub(super) fn is_entity_word(&self, word: &str) -> bool {
        let mut all = self.entity_words.values().flatten();
        all.any(|it| it == word)
    }

    /// Further names of a canonical field.
    pub(super) fn aliases(&self, entity: &str, field: &str) -> &[String] {
        let listed = self.aliases.get(entity).and_then(|it| it.get(field));
        listed.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Keys without accents, as names are looked up.
fn split_values(list: HashMap<String, String>) -> HashMap<String, Vec<String>> {
    let split = |(key, value): (String, String)| {
        let key = match key.is_ascii() {
            true => key,
            false => tokens::words(&key).join(" "),
        };
        (key, value.split_whitespace().map(str::to_owned).collect())
    };
    list.into_iter().map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_the_lists() {
        let dictionary = dictionary();
        assert_eq!(dictionary.synonyms["creation"], "create");
        assert_eq!(dictionary.expansion("straße"), None, "accents are folded");
        assert!(dictionary.expansion("strasse").is_some());
        assert!(dictionary.conflict("first", "last") && dictionary.conflict("last", "first"));
        assert!(!dictionary.conflict("first", "first"));
        assert_eq!(
            dictionary.relation("account", "company"),
            dictionary.relation("company", "account")
        );
        assert!(dictionary.idf("id") < dictionary.idf("no such word"));
    }

    #[test]
    fn every_alias_is_of_a_canonical_field() {
        for (entity, fields) in &dictionary().aliases {
            let entity = schema::entity::find(entity).expect("the entity exists");
            for field in fields.keys() {
                assert!(entity.field(field).is_some(), "{}.{field}", entity.kind);
            }
        }
    }
}
