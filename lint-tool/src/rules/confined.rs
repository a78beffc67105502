//! SL017

use super::Rule;
use super::edge_report::report;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::edges::Edge;
use crate::facts::PathRef;
use crate::selector::Selector;

/// A crate that is named outside of its places.
pub(super) struct Confined;

impl Rule for Confined {
    fn code(&self) -> &'static str {
        "SL017"
    }

    fn name(&self) -> &'static str {
        "confined"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A crate that is named outside of its places.

A crate that shapes the code around it (a database driver, a web framework, the process
environment) stays in few places, so that it can be changed and reviewed there. What those places
re-export may be used by everyone.

```bad
//- structure-lint.toml
[[confine]]
crate = "sqlx"
to = ["**/db"]
//- app/src/lib.rs uses sqlx
use sqlx::PgPool;
```

```good
//- structure-lint.toml
[[confine]]
crate = "sqlx"
to = ["**/db.rs"]
//- app/src/lib.rs uses sqlx
mod db;
use db::PgPool;
//- app/src/db.rs
pub use sqlx::PgPool;
```

How to fix: move the code to one of the places, or use what they offer."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (index, contract) in cx.config.confine.iter().enumerate() {
            let target = Selector::parse(contract.target.get_ref());
            let violations = cx
                .edges
                .to(std::slice::from_ref(&target))
                .filter_map(|edge| {
                    let is_direct = edge.code.as_ref().is_some_and(|it| it.direct);
                    let allowed = || cx.config.covering(&contract.to, &edge.from).is_some();
                    let to = target
                        .covers(&edge.to)
                        .filter(|_| is_direct && !allowed())?;
                    Some((edge, to, ()))
                });
            report(index, violations, out, |edge, to, ()| {
                let places: Vec<&str> =
                    contract.to.iter().map(|it| it.get_ref().as_str()).collect();
                let places = places.join("`, `");
                let reason = contract
                    .reason
                    .as_ref()
                    .map(|it| format!(": {it}"))
                    .unwrap_or_default();
                let message = format!("`{}` is used outside of `{places}`", edge.text);
                Diagnostic::new("SL017", place_of(cx, edge, to), message)
                    .label(format!("`{to}` has its places"))
                    .note(
                        format!("confined{reason}"),
                        Some(cx.config.place(&contract.target)),
                    )
                    .help(format!("move this to `{places}`, or use what they offer"))
                    .to(&edge.to.path)
                    .from(&edge.from)
            });
        }
    }
}

/// The segment that completes the name of what is confined: `env` in `std::env::var`.
fn place_of(cx: &Context, edge: &Edge, confined: &str) -> Place {
    let count = |it: &str| it.split("::").count();
    let behind = count(&edge.to.path).saturating_sub(count(confined));
    let facts = cx.modules.facts.get(&edge.place.file);
    let uses = facts
        .iter()
        .flat_map(|it| it.uses.iter().map(|it| &it.path));
    let mut paths = uses.chain(facts.iter().flat_map(|it| &it.paths));
    let is_it = |path: &&PathRef| {
        let mut spans = path.segments.iter().map(|it| it.span);
        spans.any(|it| it == edge.place.span) && path.text() == edge.text
    };
    let segments = paths.find(is_it).map(|it| &it.segments);
    let completing = segments.and_then(|it| it.get(it.len().checked_sub(behind + 1)?));
    completing.map_or(edge.place.clone(), |it| {
        Place::new(&edge.place.file, it.span)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    const CONFIG: &str =
        "//- structure-lint.toml\n[[confine]]\ncrate = \"std::env\"\nto = [\"app::env\"]\n";

    #[test]
    fn a_module_of_std_is_confined_however_it_is_named() {
        let at = |source: &str, expected: &str| {
            check(
                "SL017",
                &format!("{CONFIG}//- src/lib.rs\n{source}"),
                expected,
            )
        };
        at(
            "use std::env;\nfn f() { env::var(\"X\"); }",
            "src/lib.rs:1:10 `std::env` is used outside of `app::env`",
        );
        at(
            "use std as s;\nfn f() { s::env::var(\"X\"); }",
            "src/lib.rs:2:13 `s::env::var` is used outside of `app::env`",
        );
        at(
            "use std::{fmt, env::var};",
            "src/lib.rs:1:16 `std::env::var` is used outside of `app::env`",
        );
        at(
            "mod env { pub fn f() { std::env::var(\"X\"); } }\nfn f() { env::f() }",
            "",
        );
        at("const V: &str = env!(\"X\");", "");
    }

    #[test]
    fn test_code_can_be_excepted() {
        let except = "[[except]]\nrule = \"SL017\"\nin = [\"@tests\"]\nto = \"std::env\"\nreason = \"tests set variables\"\n";
        check(
            "SL017",
            &format!(
                "{CONFIG}{except}//- src/lib.rs\n#[cfg(test)]\nmod tests {{ fn f() {{ std::env::var(\"X\"); }} }}\n"
            ),
            "",
        );
        check(
            "SL017",
            &format!(
                "{CONFIG}{except}//- src/lib.rs\n#[cfg(not(test))]\nmod x {{ fn f() {{ std::env::var(\"X\"); }} }}\n"
            ),
            "src/lib.rs:2:23 `std::env::var` is used outside of `app::env`",
        );
    }
}
