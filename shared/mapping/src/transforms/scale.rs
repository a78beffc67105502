//! A number times an exact decimal: `scale`, and `unit` of numeric fields.

use std::borrow::Cow;

use super::{CompiledTransform, Fault};
use crate::{Cell, Decimal, quote::quoted};

#[derive(Debug)]
pub(super) struct Scale {
    factor: Decimal,
}

pub(super) fn compile(factor: &str) -> Result<Scale, Fault> {
    let factor: Decimal = factor
        .parse()
        .map_err(|reason: String| Fault::of("/factor", reason))?;
    if factor == Decimal::from(0) {
        return Err(Fault::of("/factor", "is zero, which loses the value"));
    }
    Ok(Scale { factor })
}

impl CompiledTransform for Scale {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Cell::Null);
        }
        let number: Decimal = text.parse()?;
        match number.checked_mul(self.factor) {
            Some(product) => Ok(Cell::Decimal(product)),
            None => Err(format!(
                "{} times {} has more than 38 digits",
                quoted(text),
                self.factor
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn the_product_is_exact() {
        for kind in ["scale", "unit"] {
            crate::transforms::testing::check_for(
                "amount",
                &json!({"kind": kind, "factor": "0.01"}),
                &[
                    ("12345", "123.45"),
                    (" 1 ", "0.01"),
                    ("a", r#""a" is not a decimal"#),
                ],
            );
        }
        check(
            &json!({"kind": "scale", "factor": "0.0009765625"}),
            &[("16384", "16.0000000000")],
        );
        let nines = "9".repeat(38);
        let want = format!("{nines:?} times 10 has more than 38 digits");
        check(
            &json!({"kind": "scale", "factor": "10"}),
            &[(&nines, &want)],
        );
    }

    #[test]
    fn a_factor_is_a_decimal_but_zero() {
        check_fault(
            &json!({"kind": "scale", "factor": "0.0"}),
            "/factor: is zero, which loses the value",
        );
        check_fault(
            &json!({"kind": "scale", "factor": "1/2"}),
            r#"/factor: "1/2" is not a decimal"#,
        );
    }
}
