//! A text where there is no value.

use std::borrow::Cow;

use super::CompiledTransform;
use crate::Cell;

#[derive(Debug)]
pub(super) struct Default(pub(super) String);

impl CompiledTransform for Default {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        Ok(Cell::Text(text))
    }

    fn run_missing(&self) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

    #[test]
    fn only_what_is_missing_is_filled() {
        check(
            &json!({"kind": "default", "value": "New"}),
            &[("", "New"), ("Won", "Won"), (" ", " ")],
        );
    }
}
