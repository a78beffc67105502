//! An e-mail address.
//!
//! The form is what HTML calls a valid e-mail address, with letters of any script and at least one
//! dot in the domain; whether it exists is not asked.

use std::borrow::Cow;

use schema::mapping::Otherwise;

use super::{CompiledTransform, unknown};
use crate::{Cell, quote::quoted};

#[derive(Debug)]
pub(super) struct Email(pub(super) Otherwise);

impl CompiledTransform for Email {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        if let Some(address) = address(&text) {
            return Ok(Cell::Text(Cow::Owned(address)));
        }
        if text.trim().is_empty() {
            return Ok(Cell::Null);
        }
        unknown(self.0, text, |text| {
            format!(
                "{} is not one e-mail address such as ann@example.com: correct it at the source, \
                 or take one of several with `array`",
                quoted(text)
            )
        })
    }
}

/// The address in a text, with its domain in lower case.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].split('?').next()?,
        _ => match text.strip_suffix('>') {
            Some(named) => named.rsplit_once('<')?.1,
            None => text,
        },
    };
    let (local, domain) = bare.trim().split_once('@')?;
    let is_local = (1..=64).contains(&local.len())
        && local
            .split('.')
            .all(|it| !it.is_empty() && it.chars().all(is_atom));
    let is_domain = domain.contains('.') && domain.len() <= 253 && domain.split('.').all(is_label);
    (is_local && is_domain).then(|| format!("{local}@{}", domain.to_lowercase()))
}

fn is_atom(it: char) -> bool {
    it.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(it)
}

/// A label of a host name, in any script.
pub(super) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|it| it.is_alphanumeric() || it == '-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

    #[test]
    fn an_address_is_found_in_its_usual_clothes() {
        check(
            &json!({"kind": "email"}),
            &[
                (" Ann.O'Hara+x@Example.COM ", "Ann.O'Hara+x@example.com"),
                ("mailto:ann@example.com?subject=x", "ann@example.com"),
                ("Ann <ann@example.com>", "ann@example.com"),
                ("jürgen@müller.de", "jürgen@müller.de"),
                ("  ", "null"),
            ],
        );
    }

    #[test]
    fn what_is_no_address_is_refused_dropped_or_kept() {
        let wrong = [
            "ann",
            "ann@",
            "@b.c",
            "ann@localhost",
            "a@b@c.d",
            "a b@c.d",
            "a..b@c.d",
            "a@-b.c",
            "a@b..c",
            "a@b.c; d@e.f",
            "mailto:",
            "é",
            "a>",
        ];
        for text in wrong {
            let want = format!(
                "{text:?} is not one e-mail address such as ann@example.com: correct it at the \
                 source, or take one of several with `array`"
            );
            check(&json!({"kind": "email"}), &[(text, &want)]);
            check(
                &json!({"kind": "email", "otherwise": "null"}),
                &[(text, "null")],
            );
            check(
                &json!({"kind": "email", "otherwise": "keep"}),
                &[(text, text)],
            );
        }
    }
}
