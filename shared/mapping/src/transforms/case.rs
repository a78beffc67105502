//! One text where the value equals another, and else a third.

use std::borrow::Cow;

use super::{CompiledTransform, Fault};
use crate::Cell;

#[derive(Debug)]
pub(super) struct Case {
    equals: String,
    then: String,
    otherwise: Option<String>,
}

pub(super) fn compile(equals: &str, then: &str, otherwise: Option<&str>) -> Result<Case, Fault> {
    if otherwise == Some(then) {
        let detail = "is what `then` is, so the value would not matter: change one of them";
        return Err(Fault::of("/otherwise", detail));
    }
    if equals.trim() == then.trim() && otherwise.is_none() {
        let detail = "is what `equals` is, so nothing changes: say what the value becomes";
        return Err(Fault::of("/then", detail));
    }
    Ok(Case {
        equals: equals.trim().to_owned(),
        then: then.to_owned(),
        otherwise: otherwise.map(str::to_owned),
    })
}

impl CompiledTransform for Case {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        Ok(match &self.otherwise {
            _ if text.trim() == self.equals => value(&self.then),
            Some(otherwise) => value(otherwise),
            None => Cell::Text(text),
        })
    }

    fn run_missing(&self) -> Cell<'_> {
        match &self.otherwise {
            _ if self.equals.is_empty() => value(&self.then),
            Some(otherwise) => value(otherwise),
            None => Cell::Null,
        }
    }
}

fn value(text: &str) -> Cell<'_> {
    if text.is_empty() {
        return Cell::Null;
    }
    Cell::Text(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_value_becomes_one_of_two_texts_or_stays() {
        check(
            &json!({"kind": "case", "equals": "true", "then": "deleted", "otherwise": "active"}),
            &[("true", "deleted"), ("false", "active"), ("", "active")],
        );
        check(
            &json!({"kind": "case", "equals": "0", "then": ""}),
            &[(" 0 ", "null"), ("1", "1"), ("", "null")],
        );
        check(
            &json!({"kind": "case", "equals": "", "then": "open", "otherwise": "closed"}),
            &[("", "open"), ("2024-01-01", "closed")],
        );
    }

    #[test]
    fn a_case_without_a_difference_is_refused() {
        check_fault(
            &json!({"kind": "case", "equals": "a", "then": "b", "otherwise": "b"}),
            "/otherwise: is what `then` is, so the value would not matter: change one of them",
        );
        for word in ["a", ""] {
            check_fault(
                &json!({"kind": "case", "equals": word, "then": word}),
                "/then: is what `equals` is, so nothing changes: say what the value becomes",
            );
        }
    }
}
