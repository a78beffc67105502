//! All sources one after another, with a rule for those that have no value: what a key of several
//! fields is made with.

use std::borrow::Cow;

use schema::mapping::Missing;

use super::{Combination, Compiled, Fault, join::joined, no_nul};

#[derive(Debug)]
struct Concat {
    separator: String,
    missing: Missing,
    /// What stands for the separator within a value, where it is escaped.
    escaped: Option<String>,
}

pub(super) fn compile(separator: &str, missing: Missing, escape: bool) -> Result<Compiled, Fault> {
    no_nul("/separator", separator)?;
    if escape && (separator.is_empty() || separator.contains('\\')) {
        let detail = "to be escaped, it is one character or more, and no backslash";
        return Err(Fault::of("/separator", detail));
    }
    Ok(Compiled::Combination(Box::new(Concat {
        separator: separator.to_owned(),
        missing,
        escaped: escape.then(|| format!("\\{separator}")),
    })))
}

impl Concat {
    fn escape<'a>(&self, value: Cow<'a, str>) -> Cow<'a, str> {
        match &self.escaped {
            Some(escaped) if value.contains(['\\']) || value.contains(&self.separator) => {
                let value = value.replace('\\', r"\\");
                Cow::Owned(value.replace(&self.separator, escaped))
            }
            _ => value,
        }
    }
}

impl Combination for Concat {
    fn combine<'a>(
        &'a self,
        values: Vec<Option<Cow<'a, str>>>,
    ) -> Result<Option<Cow<'a, str>>, String> {
        let none = values.iter().all(Option::is_none);
        let empty = (self.missing == Missing::Empty && !none).then_some(Cow::Borrowed(""));
        if values.iter().any(Option::is_none) {
            match self.missing {
                Missing::Skip | Missing::Empty => {}
                Missing::Null => return Ok(None),
                Missing::Reject => return Err(one_is_missing()),
            }
        }
        let values = values.into_iter().filter_map(|it| it.or(empty.clone()));
        joined(values.map(|it| self.escape(it)), &self.separator)
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
        check_combined(
            &of("empty"),
            &[(both, "x/y"), (one, "/y"), (&["x", "-"], "x/")],
        );
        check_combined(&of("empty"), &[(&["-", "-"], "null")]);
        check_combined(&json!({"kind": "concat"}), &[(both, "xy")]);
        check_fault(
            &json!({"kind": "concat", "separator": "\0"}),
            "/separator: NUL cannot be stored",
        );
    }

    #[test]
    fn different_values_never_make_the_same_escaped_text() {
        let key = json!({"kind": "concat", "separator": ":", "missing": "empty", "escape": true});
        check_combined(
            &key,
            &[
                (&["1:2", "3"], r"1\:2:3"),
                (&["1", "2:3"], r"1:2\:3"),
                (&[r"1\", "2"], r"1\\:2"),
                (&["-", "Q"], ":Q"),
                (&["Q", "-"], "Q:"),
            ],
        );
        check_fault(
            &json!({"kind": "concat", "escape": true}),
            "/separator: to be escaped, it is one character or more, and no backslash",
        );
    }
}
