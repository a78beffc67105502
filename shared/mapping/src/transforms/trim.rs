//! Removes white space at both ends.

use std::borrow::Cow;

use super::CompiledTransform;
use crate::Cell;

#[derive(Debug)]
pub(super) struct Trim;

impl CompiledTransform for Trim {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        Ok(Cell::Text(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

    #[test]
    fn white_space_of_any_script_is_removed_at_the_ends() {
        check(
            &json!({"kind": "trim"}),
            &[(" a b\t", "a b"), ("\u{a0}a\u{3000}", "a"), ("  ", "")],
        );
    }
}
