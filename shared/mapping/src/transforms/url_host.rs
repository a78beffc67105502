//! The host of a web address.

use std::borrow::Cow;

use schema::mapping::Otherwise;

use super::{CompiledTransform, email::is_label, unknown};
use crate::{Cell, quote::quoted};

#[derive(Debug)]
pub(super) struct UrlHost(pub(super) Otherwise);

impl CompiledTransform for UrlHost {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        if let Some(host) = host(&text) {
            return Ok(Cell::Text(Cow::Owned(host)));
        }
        if text.trim().is_empty() {
            return Ok(Cell::Null);
        }
        unknown(self.0, text, |text| {
            format!(
                "{} has no host such as example.com: correct it at the source, or let the mapping \
                 keep it or leave it empty",
                quoted(text)
            )
        })
    }
}

/// The host of an address with or without its scheme, in lower case and without `www.`.
pub(crate) fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let is_mail = text
        .get(..7)
        .is_some_and(|it| it.eq_ignore_ascii_case("mailto:"));
    if is_mail {
        return None;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => text.strip_prefix("//").unwrap_or(text),
    };
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |it| it.1);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|it| it.is_ascii_digit()) => host,
        _ => host,
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_lowercase();
    // `www.de` is a host itself.
    let inner = host.strip_prefix("www.").filter(|it| it.contains('.'));
    let host = inner.unwrap_or(&host);
    let is_host = host.contains('.') && host.len() <= 253 && host.split('.').all(is_label);
    is_host.then(|| host.to_owned())
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::check;

    #[test]
    fn the_host_is_found_with_or_without_a_scheme() {
        check(
            &json!({"kind": "url_host"}),
            &[
                ("https://www.Example.com/a?b#c", "example.com"),
                ("http://user:pw@example.com:8080", "example.com"),
                ("Example.com/path", "example.com"),
                ("//example.com.", "example.com"),
                ("www.münchen.de", "münchen.de"),
                ("example.com?u=https://other.org", "example.com"),
                ("192.0.2.1:80", "192.0.2.1"),
                ("http://www.de/", "www.de"),
                ("   ", "null"),
            ],
        );
    }

    #[test]
    fn what_has_no_host_is_refused_dropped_or_kept() {
        for text in [
            "acme",
            "http://",
            "a b.c",
            "-a.b",
            "..",
            ":80",
            "[::1]",
            "mailto:ann@example.com",
        ] {
            let want = format!(
                "{text:?} has no host such as example.com: correct it at the source, or let the \
                 mapping keep it or leave it empty"
            );
            check(&json!({"kind": "url_host"}), &[(text, &want)]);
            check(
                &json!({"kind": "url_host", "otherwise": "null"}),
                &[(text, "null")],
            );
        }
    }
}
