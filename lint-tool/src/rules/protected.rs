//! SL014

use toml::Spanned;

use super::Rule;
use super::edge_report::{reason, report};
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::edges::{Edge, Spot};
use crate::manifest::Text;
use crate::paths::Captures;
use crate::selector::Selector;

/// A use of something by one that may not see it.
pub(super) struct Protected;

impl Rule for Protected {
    fn code(&self) -> &'static str {
        "SL014"
    }

    fn name(&self) -> &'static str {
        "protected"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A use of something by one that may not see it.

Rust has no visibility between a crate's own modules and everyone: what a sibling crate may use, all
may. `[[protect]]` names a place and who may use it; a package can say so itself, in its manifest,
with `[package.metadata.structure-lint] visible-to`. What those who may see it re-export is theirs.

```bad
//- core/Cargo.toml
[package]
name = "core-tables"
edition = "2024"
[package.metadata.structure-lint]
visible-to = ["domain"]
//- core/src/lib.rs
pub struct Table;
//- domain/src/lib.rs
//- web/Cargo.toml
[package]
name = "web"
edition = "2024"
[dependencies]
core-tables = { path = "../core" }
//- web/src/lib.rs
use core_tables::Table;
```

```good
//- structure-lint.toml
[[protect]]
target = ["domain::db"]
visible-to = ["domain", "jobs"]
//- domain/src/lib.rs
pub mod db { pub struct Row; }
pub use db::Row;
//- jobs/src/lib.rs uses domain
use domain::db::Row;
//- web/src/lib.rs uses domain
use domain::Row;
```

How to fix: use what those who may see it offer, or add the user to the list."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (index, contract) in cx.config.protect.iter().enumerate() {
            let violations = cx
                .edges
                .to(&cx.config.all_of(&contract.target))
                .filter_map(|edge| {
                    let mut caught = Captures::new();
                    let target = cx.config.capturing(&contract.target, &edge.to, &mut caught);
                    let (line, to) = target.filter(|_| is_direct(edge))?;
                    let own = cx.config.covering(&contract.target, &edge.from);
                    let seen = cx
                        .config
                        .capturing(&contract.visible_to, &edge.from, &mut caught);
                    let may = seen.is_some() || own.is_some_and(|(_, from)| from == to);
                    (!may).then_some((edge, to, line))
                });
            report(index, violations, out, |edge, to, line| {
                let list = names(contract.visible_to.iter().map(Spanned::get_ref));
                let note = format!("{list}{}", reason(&contract.reason));
                finding(edge, to, note, cx.config.place(line))
            });
        }
        protected_packages(cx, out);
    }
}

fn is_direct(edge: &Edge) -> bool {
    edge.code.as_ref().is_none_or(|it| it.direct)
}

/// Packages whose manifests say who may see them.
fn protected_packages(cx: &Context, out: &mut Vec<Diagnostic>) {
    for package in &cx.workspace.packages {
        let Some(list) = &package.manifest.visible_to else {
            continue;
        };
        let may_see = |spot: &Spot| {
            let covers = |it: &Text| Selector::parse(&it.value).covers(spot).is_some();
            spot.path.split("::").next() == Some(&package.ident) || list.iter().any(covers)
        };
        let root = |it: &Spot| it.path.split("::").next().map(str::to_owned);
        let is_target =
            |it: &Spot| !it.file.is_empty() && root(it).as_ref() == Some(&package.ident);
        let violations = cx
            .edges
            .all
            .iter()
            .filter(|edge| is_direct(edge) && is_target(&edge.to) && !may_see(&edge.from));
        let violations = violations.map(|it| (it, package.ident.clone(), ()));
        report(&package.ident, violations, out, |edge, to, ()| {
            let name = package.manifest.package.as_ref();
            let line = list.first().or(name).map(|it| it.span).unwrap_or_default();
            let note = names(list.iter().map(|it| &it.value));
            finding(edge, to, note, package.manifest.place(line))
        });
    }
}

fn names<'a>(list: impl Iterator<Item = &'a String>) -> String {
    let list: Vec<&str> = list.map(String::as_str).collect();
    if list.is_empty() {
        return "visible to nobody else".to_owned();
    }
    format!("visible to `{}`", list.join("`, `"))
}

fn finding(edge: &Edge, to: &str, note: String, line: Place) -> Diagnostic {
    let message = format!("`{}` may not see `{}`", edge.from.path, edge.to.path);
    Diagnostic::new("SL014", edge.place.clone(), message)
        .label(format!("`{to}` is protected"))
        .note(note, Some(line))
        .help("use what those who may see it offer, or add the user to the list")
        .to(&edge.to.path)
        .from(&edge.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn a_manifest_can_hide_its_package_from_everyone() {
        check(
            "SL014",
            "//- a/Cargo.toml\n[package]\nname = \"a\"\nedition = \"2024\"\n[package.metadata.structure-lint]\nvisible-to = []\n\
             //- a/src/lib.rs\npub mod x {}\nfn f(_: x::Y) {}\n//- a/tests/it.rs\nuse a::x;\n//- b/src/lib.rs uses a\nuse a as c;\nuse c::x::Y;\n",
            "b/Cargo.toml:6:1 `b` may not see `a`
             b/src/lib.rs:1:5 `b` may not see `a`",
        );
    }

    #[test]
    fn a_capture_names_the_one_who_may() {
        check(
            "SL014",
            "//- structure-lint.toml\n[[protect]]\ntarget = [\"app::tables::{t}\"]\nvisible-to = [\"app::{t}\"]\n\
             //- src/lib.rs\nmod tables { pub mod a { pub struct R; } }\nmod a { use crate::tables::a::R; }\nmod b { use crate::tables::a::R; }\n",
            "src/lib.rs:3:28 `app::b` may not see `app::tables::a`",
        );
    }
}
