//! Unicode upper and lower case.

use std::borrow::Cow;

use super::CompiledTransform;
use crate::Cell;

#[derive(Debug)]
pub(super) struct Upper;

#[derive(Debug)]
pub(super) struct Lower;

impl CompiledTransform for Upper {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        Ok(Cell::Text(Cow::Owned(text.to_uppercase())))
    }
}

impl CompiledTransform for Lower {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        Ok(Cell::Text(Cow::Owned(text.to_lowercase())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

    #[test]
    fn letters_of_any_script_change_their_case() {
        check(
            &json!({"kind": "upper"}),
            &[("straße", "STRASSE"), ("ж1", "Ж1")],
        );
        check(&json!({"kind": "lower"}), &[("ÄB", "äb"), ("ΟΔΟΣ", "οδος")]);
    }
}
