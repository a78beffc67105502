//! All sources one after another, with a rule for those that have no value: what a key of several
//! fields is made with.

use std::borrow::Cow;

use schema::mapping::Missing;

use super::{Combination, Compiled, Fault, join::joined, no_nul};

#[derive(Debug)]
struct Concat {
    separator: String,
    missing: Missing,
}

pub(super) fn compile(separator: &str, missing: Missing) -> Result<Compiled, Fault> {
    no_nul("/separator", separator)?;
    Ok(Compiled::Combination(Box::new(Concat {
        separator: separator.to_owned(),
        missing,
    })))
}

impl Combination for Concat {
    fn combine<'a>(
        &'a self,
        values: Vec<Option<Cow<'a, str>>>,
    ) -> Result<Option<Cow<'a, str>>, String> {
        if values.iter().any(Option::is_none) {
            match self.missing {
                Missing::Skip => {}
                Missing::Null => return Ok(None),
                Missing::Reject => return Err(one_is_missing()),
            }
        }
        joined(values.into_iter().flatten(), &self.separator)
    }
}

pub(super) fn one_is_missing() -> String {
    "one of its sources has no value: fill it at the source, or let the mapping skip it".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check_combined, check_fault};

    #[test]
    fn a_missing_source_is_skipped_empties_the_field_or_is_refused() {
        let of = |missing: &str| json!({"kind": "concat", "separator": "/", "missing": missing});
        let both: &[&str] = &["x", "y"];
        let one: &[&str] = &["-", "y"];
        check_combined(&of("skip"), &[(both, "x/y"), (one, "y")]);
        check_combined(&of("null"), &[(both, "x/y"), (one, "null")]);
        check_combined(
            &of("reject"),
            &[(
                one,
                "one of its sources has no value: fill it at the source, or let the mapping skip it",
            )],
        );
        check_combined(&json!({"kind": "concat"}), &[(both, "xy")]);
        check_fault(
            &json!({"kind": "concat", "separator": "\0"}),
            "/separator: NUL cannot be stored",
        );
    }
}
