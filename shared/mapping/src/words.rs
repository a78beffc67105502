//! The words that a mapping lists, and the ways in which sources write them.

use std::collections::BTreeMap;

use crate::boolean;

/// What each word stands for.
#[derive(Debug)]
pub(super) struct Words {
    exact: BTreeMap<String, String>,
    /// Without case; none where words differ by case alone and stand for different things.
    folded: BTreeMap<String, Option<String>>,
    /// What false and true stand for, where the mapping lists them by these words. Codes such as
    /// 0 and 1 may mean anything.
    truths: [Option<String>; 2],
}

impl Words {
    pub(super) fn new(values: &BTreeMap<String, String>) -> Words {
        let mut folded = BTreeMap::<_, Option<String>>::new();
        let mut truths = [None, None];
        for (word, ours) in values {
            folded
                .entry(word.trim().to_lowercase())
                .and_modify(|it| *it = it.take().filter(|it| it == ours))
                .or_insert_with(|| Some(ours.clone()));
            if let Some(truth) = boolean::word(word.trim()) {
                truths[usize::from(truth)] = Some(ours.clone());
            }
        }
        Words {
            exact: values.clone(),
            folded,
            truths,
        }
    }

    /// What `text` stands for: as it is listed, or else in any case, or else as a spreadsheet
    /// writes the boolean that is listed.
    pub(super) fn find(&self, text: &str) -> Option<&String> {
        if let Some(ours) = self.exact.get(text) {
            return Some(ours);
        }
        let text = text.trim();
        if let Some(ours) = self.folded.get(&text.to_lowercase()) {
            return ours.as_ref();
        }
        let truth = boolean::read(text)?;
        self.truths[usize::from(truth)].as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[(&str, &str)], cases: &[(&str, Option<&str>)]) {
        let of = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        let words = Words::new(&words.iter().map(of).collect());
        for (text, want) in cases {
            assert_eq!(words.find(text).map(String::as_str), *want, "{text:?}");
        }
    }

    #[test]
    fn a_word_is_found_in_any_case() {
        check(
            &[
                ("Open", "open"),
                ("Geschlossen Gewonnen", "won"),
                ("ÄNDERUNG", "changed"),
            ],
            &[
                ("Open", Some("open")),
                ("OPEN", Some("open")),
                (" open ", Some("open")),
                ("geschlossen gewonnen", Some("won")),
                ("Änderung", Some("changed")),
                ("Opened", None),
                ("", None),
            ],
        );
    }

    #[test]
    fn words_that_differ_by_case_alone_are_told_apart() {
        check(
            &[
                ("a", "lower"),
                ("A", "upper"),
                ("b", "same"),
                ("B", "same"),
                ("İ", "x"),
            ],
            &[
                ("a", Some("lower")),
                ("A", Some("upper")),
                (" a", None),
                (" b", Some("same")),
            ],
        );
    }

    #[test]
    fn a_boolean_is_found_in_the_spellings_of_spreadsheets() {
        check(
            &[("true", "active"), ("false", "inactive")],
            &[
                ("TRUE", Some("active")),
                ("WAHR", Some("active")),
                ("vrai", Some("active")),
                ("Verdadero", Some("active")),
                ("1", Some("active")),
                ("0", Some("inactive")),
                ("FALSCH", Some("inactive")),
                ("faux", Some("inactive")),
                ("ЛОЖЬ", Some("inactive")),
                ("no", Some("inactive")),
                ("2", None),
                ("on", None),
                ("y", None),
            ],
        );
        check(&[("FALSE", "off")], &[("0", Some("off")), ("1", None)]);
    }

    #[test]
    fn codes_are_no_booleans() {
        check(
            &[("0", "open"), ("1", "won"), ("2", "lost")],
            &[("1", Some("won")), ("true", None), ("WAHR", None)],
        );
        check(
            &[("true", "yes"), ("1", "code")],
            &[("1", Some("code")), ("WAHR", Some("yes"))],
        );
    }
}
