//! Words that stand for no value.

use std::borrow::Cow;

use super::{CompiledTransform, Fault};
use crate::Cell;

#[derive(Debug)]
pub(super) struct Nulls {
    words: Vec<String>,
}

pub(super) fn compile(words: &[String]) -> Result<Nulls, Fault> {
    if words.is_empty() {
        return Err(Fault::of("/words", "is empty: list at least one word"));
    }
    check_count("/words", words)?;
    Ok(Nulls {
        words: words.iter().map(|it| it.trim().to_owned()).collect(),
    })
}

/// Each value is compared with all of them.
pub(super) fn check_count(member: &str, words: &[String]) -> Result<(), Fault> {
    if words.len() > 1_000 {
        return Err(Fault::of(member, "lists more than 1,000 words: list fewer"));
    }
    Ok(())
}

impl CompiledTransform for Nulls {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        if is_null_word(&self.words, &text) {
            return Ok(Cell::Null);
        }
        Ok(Cell::Text(text))
    }
}

/// Whether a text is one of the words; white space around it does not count.
pub(super) fn is_null_word(words: &[String], text: &str) -> bool {
    let text = text.trim();
    words.iter().any(|it| it == text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_listed_word_is_no_value_and_another_spelling_stays() {
        check(
            &json!({"kind": "nulls", "words": ["N/A", "-"]}),
            &[
                ("N/A", "null"),
                (" - ", "null"),
                ("n/a", "n/a"),
                ("--", "--"),
            ],
        );
    }

    #[test]
    fn it_needs_words() {
        check_fault(
            &json!({"kind": "nulls", "words": []}),
            "/words: is empty: list at least one word",
        );
    }
}
