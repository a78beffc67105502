//! A country by its code or its name.

use std::borrow::Cow;

use schema::mapping::Otherwise;

use super::{CompiledTransform, unknown};
use crate::{Cell, countries, quote::quoted};

#[derive(Debug)]
pub(super) struct Country(pub(super) Otherwise);

impl CompiledTransform for Country {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        if let Some(code) = countries::find(&text) {
            return Ok(Cell::Text(Cow::Borrowed(code)));
        }
        if text.trim().is_empty() {
            return Ok(Cell::Null);
        }
        unknown(self.0, text, |text| {
            format!(
                "{} is not a country by its ISO 3166-1 code or its name: correct it at the \
                 source, or name it before with `enum`",
                quoted(text)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

    #[test]
    fn a_country_is_known_by_its_codes_and_its_names_in_seven_languages() {
        check(
            &json!({"kind": "country"}),
            &[
                ("de", "DE"),
                ("DEU", "DE"),
                ("Germany", "DE"),
                ("DEUTSCHLAND", "DE"),
                ("Allemagne", "DE"),
                ("Alemania", "DE"),
                ("Germania", "DE"),
                ("Duitsland", "DE"),
                ("Alemanha", "DE"),
                (" U.S.A. ", "US"),
                ("United States of America", "US"),
                ("Côte d'Ivoire", "CI"),
                ("Cote d’Ivoire", "CI"),
                ("Österreich", "AT"),
                ("Trinidad & Tobago", "TT"),
                ("UK", "GB"),
                ("  ", "null"),
            ],
        );
    }

    #[test]
    fn another_text_is_refused_dropped_or_kept() {
        check(
            &json!({"kind": "country"}),
            &[(
                "Atlantis",
                r#""Atlantis" is not a country by its ISO 3166-1 code or its name: correct it at the source, or name it before with `enum`"#,
            )],
        );
        check(
            &json!({"kind": "country", "otherwise": "null"}),
            &[("XX", "null"), ("Europe", "null")],
        );
        check(
            &json!({"kind": "country", "otherwise": "keep"}),
            &[("EMEA", "EMEA")],
        );
    }
}
