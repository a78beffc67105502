//! A word of the source by a canonical one, in any case and spelling of booleans.

use std::{borrow::Cow, collections::BTreeMap};

use schema::mapping::Otherwise;

use super::{CompiledTransform, unknown};
use crate::{Cell, quote::quoted, words::Words};

#[derive(Debug)]
pub(super) struct Enumeration {
    words: Words,
    otherwise: Otherwise,
}

pub(super) fn compile(values: &BTreeMap<String, String>, otherwise: Otherwise) -> Enumeration {
    Enumeration {
        words: Words::new(values),
        otherwise,
    }
}

impl CompiledTransform for Enumeration {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        match self.words.find(&text) {
            Some(word) => Ok(Cell::Text(Cow::Borrowed(word))),
            None => unknown(self.otherwise, text, |text| {
                format!(
                    "{} is not one of the values that the mapping lists",
                    quoted(text)
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

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
                r#""open" is not one of the values that the mapping lists"#,
            )],
        );
    }
}
