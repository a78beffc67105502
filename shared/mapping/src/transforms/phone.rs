//! A telephone number as E.164.
//!
//! The rules are the short form of ITU-T E.164: a number begins with `+` or with the region's
//! international prefix and then a country code, or with the region's national prefix, which is
//! left out. Its length is one that the numbering plan of the country code has. Whether it is
//! assigned is not asked. An extension has no place in E.164.

use std::borrow::Cow;

use schema::mapping::Otherwise;

use super::{CompiledTransform, Fault, unknown};
use crate::{
    Cell,
    calling_codes::{self, Region},
    quote::quoted,
};

#[derive(Debug)]
pub(super) struct Phone {
    region: Option<&'static Region>,
    otherwise: Otherwise,
}

pub(super) fn compile(region: Option<&str>, otherwise: Otherwise) -> Result<Phone, Fault> {
    let region = match region {
        None => None,
        Some(code) => Some(calling_codes::region(code).ok_or_else(|| {
            let detail = "is not a country as ISO 3166-1 alpha-2, such as `DE`";
            Fault::of("/region", detail)
        })?),
    };
    Ok(Phone { region, otherwise })
}

impl CompiledTransform for Phone {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        if let Some(number) = calling_codes::e164(&text, self.region) {
            return Ok(Cell::Text(Cow::Owned(number)));
        }
        if text.trim().is_empty() {
            return Ok(Cell::Null);
        }
        unknown(self.otherwise, text, |text| {
            let expected = match self.region {
                Some(region) => format!("a telephone number of {} or with `+`", region.code),
                None => "a telephone number with `+` and country code".to_owned(),
            };
            format!(
                "{} is not {expected}, without an extension: correct it at the source, or set \
                 the region in the mapping",
                quoted(text)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_number_with_a_country_code_needs_no_region() {
        check(
            &json!({"kind": "phone"}),
            &[
                ("+49 30 901820", "+4930901820"),
                ("+49 (0) 30 / 90 18-20", "+4930901820"),
                ("+49 030 901820", "+4930901820"),
                ("tel:+1-415-555-2671", "+14155552671"),
                ("+39 06 6982", "+39066982"),
                ("  ", "null"),
                (
                    "030 901820",
                    r#""030 901820" is not a telephone number with `+` and country code, without an extension: correct it at the source, or set the region in the mapping"#,
                ),
            ],
        );
    }

    #[test]
    fn a_national_number_is_read_in_its_region() {
        let of = |region: &str| json!({"kind": "phone", "region": region, "otherwise": "null"});
        check(
            &of("DE"),
            &[
                ("030 901820", "+4930901820"),
                ("(030) 90.18.20", "+4930901820"),
                ("0043 1 58858", "+43158858"),
                ("+1 415 555 2671", "+14155552671"),
                ("030 901820 ext. 12", "null"),
                ("12", "null"),
                ("+49 30 901820 901820 901820", "null"),
                ("+999 1234567", "null"),
                ("call me", "null"),
            ],
        );
        check(
            &of("us"),
            &[
                ("(415) 555-2671", "+14155552671"),
                ("1 415 555 2671", "+14155552671"),
                ("011 49 30 901820", "+4930901820"),
                ("555-2671", "null"),
            ],
        );
        check(&of("IT"), &[("06 6982 1234", "+390669821234")]);
        check(&of("HU"), &[("06 1 234 5678", "+3612345678")]);
        check(&of("RU"), &[("8 (495) 123-45-67", "+74951234567")]);
    }

    #[test]
    fn a_region_is_a_country() {
        check_fault(
            &json!({"kind": "phone", "region": "EU"}),
            "/region: is not a country as ISO 3166-1 alpha-2, such as `DE`",
        );
    }
}
