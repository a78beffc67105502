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
        let found = text.matches(&*self.from).count();
        if found == 0 {
            return Ok(Cell::Text(text));
        }
        // Known before it is made, so that a text which is too long costs nothing.
        let kept = text.len() - found * self.from.len();
        let length = found.saturating_mul(self.to.len()).saturating_add(kept);
        if MAX_TEXT.max(text.len()) < length {
            return Err(too_long());
        }
        Ok(Cell::Text(Cow::Owned(text.replace(&*self.from, &self.to))))
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
                "what the mapping makes of it is longer than 64 KiB: let its transforms put in less",
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
