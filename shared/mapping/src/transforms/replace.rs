//! Every occurrence of one text by another.

use std::borrow::Cow;

use super::{CompiledTransform, Fault, MAX_TEXT, no_nul, too_long};
use crate::Cell;

#[derive(Debug)]
pub(super) struct Replace {
    from: String,
    to: String,
}

pub(super) fn compile(from: &str, to: &str) -> Result<Replace, Fault> {
    if from.is_empty() {
        return Err(Fault::of("/from", "is empty: say what is to be replaced"));
    }
    no_nul("/to", to)?;
    Ok(Replace {
        from: from.to_owned(),
        to: to.to_owned(),
    })
}

impl CompiledTransform for Replace {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        if !text.contains(&*self.from) {
            return Ok(Cell::Text(text));
        }
        let mut made = String::with_capacity(text.len());
        for (index, part) in text.split(&*self.from).enumerate() {
            if index > 0 {
                made.push_str(&self.to);
            }
            made.push_str(part);
            if made.len() > MAX_TEXT {
                return Err(too_long());
            }
        }
        Ok(Cell::Text(Cow::Owned(made)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn every_occurrence_is_replaced_once() {
        check(
            &json!({"kind": "replace", "from": "aa", "to": "a"}),
            &[("aaaa", "aa"), ("baab", "bab"), ("b", "b")],
        );
        check(
            &json!({"kind": "replace", "from": " ", "to": ""}),
            &[("1 2 3", "123")],
        );
    }

    #[test]
    fn what_it_makes_is_bounded() {
        let to = "x".repeat(1 << 15);
        check(
            &json!({"kind": "replace", "from": "a", "to": to}),
            &[(
                &"a".repeat(100_000),
                "what the mapping makes of it is longer than 1048576 bytes",
            )],
        );
    }

    #[test]
    fn it_needs_something_to_replace() {
        check_fault(
            &json!({"kind": "replace", "from": "", "to": "x"}),
            "/from: is empty: say what is to be replaced",
        );
    }
}
