//! Selectors: how a configuration names places.
//!
//! With a `/` or `.rs` a selector is a path from the root (`functions/*`, `**/db/**`), without one a
//! module path (`aam`, `aam::connectors::*`, `std::env`). It covers what lies below. `@tests` is test
//! code, `@build` is build scripts. `*` is one component, `**` any number, `{name}` one component that
//! a contract's other side may name again.

use crate::edges::Spot;
use crate::paths::{Captures, capture_prefix};
use crate::workspace::ident;

/// One selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    File(Vec<String>),
    Module(Vec<String>),
    Tests,
    Build,
}

impl Selector {
    /// Reads a selector. Every text is one.
    pub fn parse(text: &str) -> Selector {
        let owned = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
        match text {
            "@tests" => Selector::Tests,
            "@build" => Selector::Build,
            _ if text.contains('/') || text.contains('.') => {
                Selector::File(owned(text.trim_matches('/').split('/').collect()))
            }
            _ => Selector::Module(ident(text).split("::").map(str::to_owned).collect()),
        }
    }

    /// The part of the place that the selector names, if it covers the place.
    ///
    /// `functions/*` covers `functions/auth/src/lib.rs` by `functions/auth`: two places with different
    /// parts are two things to a rule about independence.
    pub fn covers(&self, spot: &Spot) -> Option<String> {
        self.captures(spot, &mut Captures::new())
    }

    /// As [`Selector::covers`], and writes down what each `{name}` stands for. A name that is known
    /// already stands for what it is known as.
    pub(crate) fn captures(&self, spot: &Spot, caught: &mut Captures) -> Option<String> {
        match self {
            Selector::Tests => spot.test.then(|| "@tests".to_owned()),
            Selector::Build => spot.build.then(|| "@build".to_owned()),
            Selector::File(pattern) if !spot.file.is_empty() => {
                prefix(pattern, &spot.file, "/", caught)
            }
            Selector::File(_) => None,
            Selector::Module(pattern) => {
                caught.values_mut().for_each(|it| *it = ident(it));
                prefix(pattern, &spot.path, "::", caught)
            }
        }
    }
}

fn prefix(
    pattern: &[String],
    text: &str,
    separator: &str,
    caught: &mut Captures,
) -> Option<String> {
    // Most places are elsewhere, as their beginning says.
    let begins = |it: &String| it.contains(['*', '{']) || text.starts_with(it.as_str());
    if !pattern.first().is_none_or(begins) {
        return None;
    }
    let pattern: Vec<&str> = pattern.iter().map(String::as_str).collect();
    let parts: Vec<&str> = text.split(separator).collect();
    let count = capture_prefix(&pattern, &parts, caught)?;
    Some(parts[..count].join(separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, path: &str, file: &str, expected: Option<&str>) {
        let spot = Spot {
            path: path.into(),
            file: file.into(),
            test: false,
            build: false,
        };
        assert_eq!(
            Selector::parse(selector).covers(&spot).as_deref(),
            expected,
            "{selector}"
        );
    }

    #[test]
    fn a_selector_names_the_part_that_it_covers() {
        check(
            "dcl-query",
            "dcl_query::routes",
            "functions/dcl-query/src/x.rs",
            Some("dcl_query"),
        );
        check(
            "aam::connectors::*",
            "aam::connectors::hubspot::x",
            "x.rs",
            Some("aam::connectors::hubspot"),
        );
        check(
            "functions/*",
            "auth",
            "functions/auth/Cargo.toml",
            Some("functions/auth"),
        );
        check("std::env", "std::env::var", "", Some("std::env"));
        check("std::env", "std::environment", "", None);
        check("**/db", "sqlx", "", None);
    }
}
