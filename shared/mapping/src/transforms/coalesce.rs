//! The first source that has a value and no word for none.

use std::borrow::Cow;

use super::{
    Combination, Compiled, Fault,
    nulls::{check_count, is_null_word},
};

#[derive(Debug)]
struct Coalesce {
    nulls: Vec<String>,
}

pub(super) fn compile(nulls: &[String]) -> Result<Compiled, Fault> {
    check_count("/nulls", nulls)?;
    Ok(Compiled::Combination(Box::new(Coalesce {
        nulls: nulls.to_vec(),
    })))
}

impl Combination for Coalesce {
    fn combine<'a>(
        &'a self,
        values: Vec<Option<Cow<'a, str>>>,
    ) -> Result<Option<Cow<'a, str>>, String> {
        let mut values = values.into_iter().flatten();
        Ok(values.find(|it| !it.trim().is_empty() && !is_null_word(&self.nulls, it)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check_combined;

    #[test]
    fn words_for_no_value_and_white_space_are_passed_over() {
        check_combined(
            &json!({"kind": "coalesce", "nulls": ["N/A"]}),
            &[
                (&["x", "y"], "x"),
                (&["-", "y"], "y"),
                (&[" N/A", "y"], "y"),
                (&["  ", "y"], "y"),
                (&["n/a", "y"], "n/a"),
                (&["N/A", "-"], "null"),
            ],
        );
    }
}
