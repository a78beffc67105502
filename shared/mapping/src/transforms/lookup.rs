//! What a table has for a value: ids by names.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use schema::mapping::Otherwise;

use super::{CompiledTransform, Fault, unknown};
use crate::{Cell, quote::quoted};

/// What is said of a value that is not in the table.
pub(crate) const UNLISTED: &str = "is not in the table of the mapping";

#[derive(Debug)]
pub(super) struct Lookup {
    table: HashMap<String, String>,
    otherwise: Otherwise,
}

pub(super) fn compile(
    table: &BTreeMap<String, String>,
    otherwise: Otherwise,
) -> Result<Lookup, Fault> {
    if table.is_empty() {
        return Err(Fault::of("/table", "is empty: list at least one pair"));
    }
    let mut trimmed = HashMap::new();
    for (value, ours) in table {
        if let Some(other) = trimmed.insert(value.trim().to_owned(), ours.clone())
            && other != *ours
        {
            let detail = format!(
                "has {} twice but for white space around it, which does not count: keep one",
                quoted(value.trim())
            );
            return Err(Fault::of("/table", detail));
        }
    }
    Ok(Lookup {
        table: trimmed,
        otherwise,
    })
}

impl CompiledTransform for Lookup {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        match self.table.get(text.trim()) {
            Some(ours) => Ok(Cell::Text(Cow::Borrowed(ours))),
            None => unknown(self.otherwise, text, |text| {
                format!(
                    "{} {UNLISTED}: add it there, or correct it at the source",
                    quoted(text)
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_value_is_found_but_for_white_space_around_it() {
        let of = |otherwise: &str| json!({"kind": "lookup", "table": {"7": "Won", "": "x"}, "otherwise": otherwise});
        check(&of("keep"), &[("7", "Won"), (" 7 ", "Won"), ("07", "07")]);
        check(&of("null"), &[("07", "null")]);
        check(
            &json!({"kind": "lookup", "table": {" a ": "A", "B": "b"}, "otherwise": "keep"}),
            &[("a", "A"), ("\ta", "A"), ("b", "b")],
        );
        check(
            &of("reject"),
            &[(
                "07",
                r#""07" is not in the table of the mapping: add it there, or correct it at the source"#,
            )],
        );
    }

    #[test]
    fn a_table_says_one_thing_of_a_value() {
        check_fault(
            &json!({"kind": "lookup", "table": {"a": "A", " a": "B"}}),
            r#"/table: has "a" twice but for white space around it, which does not count: keep one"#,
        );
        check_fault(
            &json!({"kind": "lookup", "table": {}}),
            "/table: is empty: list at least one pair",
        );
    }
}
