//! What a table has for a value: ids by names.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use schema::mapping::Otherwise;

use super::{CompiledTransform, Fault, unknown};
use crate::{Cell, quote::quoted};

const MAX_ROWS: usize = 10_000;

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
    if table.len() > MAX_ROWS {
        let detail = "has more than 10,000 pairs: join such a table at the source";
        return Err(Fault::of("/table", detail));
    }
    Ok(Lookup {
        table: table.clone().into_iter().collect(),
        otherwise,
    })
}

impl CompiledTransform for Lookup {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        match self.table.get(text.trim()) {
            Some(ours) => Ok(Cell::Text(Cow::Borrowed(ours))),
            None => unknown(self.otherwise, text, |text| {
                format!(
                    "{} is not in the table of the mapping: add it there",
                    quoted(text)
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_value_is_found_exactly() {
        let of = |otherwise: &str| json!({"kind": "lookup", "table": {"7": "Won", "": "x"}, "otherwise": otherwise});
        check(&of("keep"), &[("7", "Won"), (" 7 ", "Won"), ("07", "07")]);
        check(&of("null"), &[("07", "null")]);
        check(
            &of("reject"),
            &[(
                "07",
                r#""07" is not in the table of the mapping: add it there"#,
            )],
        );
    }

    #[test]
    fn a_table_has_some_and_not_too_many_pairs() {
        let table: BTreeMap<_, _> = (0..=MAX_ROWS).map(|it| (it.to_string(), "x")).collect();
        check_fault(
            &json!({"kind": "lookup", "table": table}),
            "/table: has more than 10,000 pairs: join such a table at the source",
        );
        check_fault(
            &json!({"kind": "lookup", "table": {}}),
            "/table: is empty: list at least one pair",
        );
    }
}
