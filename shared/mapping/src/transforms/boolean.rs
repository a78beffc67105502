//! A boolean from declared words.

use std::borrow::Cow;

use super::{CompiledTransform, Fault};
use crate::{Cell, quote::quoted};

#[derive(Debug)]
pub(super) struct Boolean {
    yes: Vec<String>,
    no: Vec<String>,
    blank: Option<bool>,
}

pub(super) fn compile(
    yes: &[String],
    no: &[String],
    blank: Option<bool>,
) -> Result<Boolean, Fault> {
    for (member, words) in [("/true", yes), ("/false", no)] {
        if words.len() > 100 {
            return Err(Fault::of(member, "lists more than 100 words"));
        }
    }
    let fold = |words: &[String]| words.iter().map(|it| folded(it)).collect::<Vec<_>>();
    let (yes, no) = (fold(yes), fold(no));
    if let Some(index) = no.iter().position(|it| yes.contains(it)) {
        let detail = "is a word for true as well: keep it in one list";
        return Err(Fault::of(format!("/false/{index}"), detail));
    }
    for (member, words, is_blank) in [("/true", &yes, true), ("/false", &no, false)] {
        if words.is_empty() && blank != Some(is_blank) {
            let detail = format!("is empty: list a word, or set `blank` to {is_blank}");
            return Err(Fault::of(member, detail));
        }
    }
    Ok(Boolean { yes, no, blank })
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

impl CompiledTransform for Boolean {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let word = folded(&text);
        if self.yes.contains(&word) {
            return Ok(Cell::Boolean(true));
        }
        if self.no.contains(&word) {
            return Ok(Cell::Boolean(false));
        }
        if word.is_empty() {
            return Ok(self.run_missing());
        }
        let all: Vec<_> = self.yes.iter().chain(&self.no).take(20).collect();
        Err(format!(
            "{} is none of the words {all:?}: correct it at the source, or add it to the mapping",
            quoted(&text)
        ))
    }

    fn run_missing(&self) -> Cell<'_> {
        self.blank.map_or(Cell::Null, Cell::Boolean)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn declared_words_count_in_any_case_and_no_others() {
        check(
            &json!({"kind": "boolean", "true": ["ja", "J"], "false": ["nein"]}),
            &[
                (" JA ", "true"),
                ("j", "true"),
                ("Nein", "false"),
                ("", "null"),
                (
                    "yes",
                    r#""yes" is none of the words ["ja", "j", "nein"]: correct it at the source, or add it to the mapping"#,
                ),
            ],
        );
    }

    #[test]
    fn a_blank_may_be_one_of_the_two() {
        check(
            &json!({"kind": "boolean", "true": ["x"], "false": [], "blank": false}),
            &[("x", "true"), ("", "false"), (" ", "false")],
        );
    }

    #[test]
    fn words_must_tell_true_from_false() {
        check_fault(
            &json!({"kind": "boolean", "true": ["1"], "false": ["0", " 1"]}),
            "/false/1: is a word for true as well: keep it in one list",
        );
        check_fault(
            &json!({"kind": "boolean", "true": ["x"], "false": []}),
            "/false: is empty: list a word, or set `blank` to false",
        );
    }
}
