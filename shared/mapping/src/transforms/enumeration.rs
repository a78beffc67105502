//! A word of the source by a canonical one, in any case and spelling of booleans.

use std::{borrow::Cow, collections::BTreeMap};

use schema::mapping::Otherwise;

use super::{CompiledTransform, Fault, unknown};
use crate::{Cell, quote::quoted, words::Words};

/// What is said of a word that is not listed.
pub(crate) const UNLISTED: &str = "is not one of the values that the mapping lists";

#[derive(Debug)]
pub(super) struct Enumeration {
    words: Words,
    otherwise: Otherwise,
}

pub(super) fn compile(
    values: &BTreeMap<String, String>,
    otherwise: Otherwise,
) -> Result<Enumeration, Fault> {
    if values.is_empty() {
        return Err(Fault::of("/values", "is empty: list at least one word"));
    }
    Ok(Enumeration {
        words: Words::new(values),
        otherwise,
    })
}

impl CompiledTransform for Enumeration {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        match self.words.find(&text) {
            Some(word) => Ok(Cell::Text(Cow::Borrowed(word))),
            None => unknown(self.otherwise, text, |text| {
                format!(
                    "{} {UNLISTED}: add it there, or correct it at the source",
                    quoted(text)
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_word_that_is_not_listed_is_kept_dropped_or_refused() {
        let of = |otherwise: &str| json!({"kind": "enum", "values": {"closedwon": "Closed Won"}, "otherwise": otherwise});
        check(
            &of("keep"),
            &[(" ClosedWon ", "Closed Won"), ("open", "open")],
        );
        check(&of("null"), &[("open", "null")]);
        check(
            &of("reject"),
            &[(
                "open",
                r#""open" is not one of the values that the mapping lists: add it there, or correct it at the source"#,
            )],
        );
    }

    #[test]
    fn it_lists_at_least_one_word() {
        check_fault(
            &json!({"kind": "enum", "values": {}, "otherwise": "null"}),
            "/values: is empty: list at least one word",
        );
    }
}
