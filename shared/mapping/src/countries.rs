//! ISO 3166-1: the codes, and the names of countries in English, German, French, Spanish, Italian,
//! Dutch and Portuguese.
//!
//! `data/countries.tsv` has a country a line: alpha-2, alpha-3, names divided by `|`. The names are
//! those of Unicode CLDR, with common other ones; no name has two meanings.

use std::{collections::HashMap, sync::LazyLock};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

const TABLE: &str = include_str!("../data/countries.tsv");
/// No name is longer, in characters.
const MAX_NAME: usize = 100;

/// The alpha-2 code of the country that a text names.
pub(crate) fn find(text: &str) -> Option<&'static str> {
    let text = text.trim();
    if text.chars().nth(MAX_NAME).is_some() {
        return None;
    }
    CODES.get(folded(text).as_str()).copied()
}

static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for line in TABLE.lines() {
        let mut cells = line.split('\t');
        let (Some(two), Some(three), Some(names)) = (cells.next(), cells.next(), cells.next())
        else {
            unreachable!("a test reads every line of the table");
        };
        for name in [two, three].into_iter().chain(names.split('|')) {
            codes.insert(folded(name), two);
        }
    }
    codes
});

/// Words of small letters and digits without accents, with a space between them.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let letters = text.chars().flat_map(char::to_lowercase).nfkd();
    for letter in letters.filter(|it| !is_combining_mark(*it)) {
        match letter {
            'ß' => folded.push_str("ss"),
            '&' => folded.push_str(" and "),
            // What stands for a dot of an abbreviation only, so that U.S. is US.
            '.' => {}
            it if it.is_alphanumeric() => folded.push(it),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    let words: Vec<_> = folded.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_no_name_has_two_meanings() {
        let mut owners = BTreeMap::new();
        for line in TABLE.lines() {
            let [two, three, names] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            assert!(two.len() == 2 && three.len() == 3, "{line}");
            for name in [two, three].into_iter().chain(names.split('|')) {
                assert!(name.chars().count() <= MAX_NAME, "{name}");
                let owner = owners.entry(folded(name)).or_insert(two);
                assert_eq!(*owner, two, "{name}");
                assert_eq!(find(name), Some(two), "{name}");
            }
        }
        assert_eq!(TABLE.lines().count(), 250);
    }

    #[test]
    fn a_long_text_is_no_country() {
        assert_eq!(find(&"x".repeat(1 << 20)), None);
        assert_eq!(find(""), None);
        assert_eq!(find("..."), None);
    }
}
