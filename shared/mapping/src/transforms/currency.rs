//! A code of ISO 4217, in upper case.

use std::borrow::Cow;

use schema::entity::{Field, Kind};

use super::{CompiledTransform, Fault, only_for};
use crate::{Cell, currency, quote::quoted};

#[derive(Debug)]
pub(super) struct Currency;

pub(super) fn compile(field: &Field) -> Result<Currency, Fault> {
    only_for(field, &[Kind::Text])?;
    Ok(Currency)
}

impl CompiledTransform for Currency {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let code = text.trim().to_ascii_uppercase();
        if !currency::is_code(&code) {
            let text = quoted(&text);
            return Err(format!("{text} is not an ISO 4217 currency code"));
        }
        Ok(Cell::Text(Cow::Owned(code)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check_for;

    #[test]
    fn a_code_is_one_of_the_list_in_any_case() {
        check_for(
            "currency",
            &json!({"kind": "currency"}),
            &[
                (" eur", "EUR"),
                ("euro", r#""euro" is not an ISO 4217 currency code"#),
                ("ABC", r#""ABC" is not an ISO 4217 currency code"#),
            ],
        );
    }
}
