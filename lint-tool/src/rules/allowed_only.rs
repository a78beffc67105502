//! SL013

use super::Rule;
use super::edge_report::{reason, report};
use crate::check::Context;
use crate::config::Only;
use crate::diagnostic::{Diagnostic, Level};
use crate::edges::Edge;
use crate::paths::Captures;

/// A use of something that is not on the list.
pub(super) struct AllowedOnly;

impl Rule for AllowedOnly {
    fn code(&self) -> &'static str {
        "SL013"
    }

    fn name(&self) -> &'static str {
        "allowed-only"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A use of something that is not on the list.

A vocabulary that everyone builds on, or a domain without input and output, keeps its list of
dependencies short. `[[only]]` is that list: members of the workspace and crates from elsewhere.
Itself and the standard library are always allowed, and so is what the allowed ones re-export.

```bad
//- structure-lint.toml
[[only]]
from = ["schema"]
to = ["serde"]
//- schema/src/lib.rs uses serde, sqlx
use serde::Serialize;
fn f(_: sqlx::PgPool) {}
```

```good
//- structure-lint.toml
[[only]]
from = ["schema"]
to = ["serde"]
//- schema/src/lib.rs uses serde
use serde::Serialize;
use std::fmt;
fn f(_: crate::inner::Id) {}
mod inner { pub struct Id; }
```

How to fix: do without it, pass in what it gives, or add it to the list."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (index, contract) in cx.config.only.iter().enumerate() {
            let violations = cx
                .edges
                .from(&cx.config.all_of(&contract.from))
                .filter_map(|edge| {
                    let key = violation(cx, contract, edge)?;
                    Some((edge, key, ()))
                });
            report(index, violations, out, |edge, _, ()| {
                finding(cx, contract, edge)
            });
        }
    }
}

/// What an edge leads to, if the list does not have it.
fn violation(cx: &Context, contract: &Only, edge: &Edge) -> Option<String> {
    let is_outside = edge.to.file.is_empty();
    let root = edge.to.path.split("::").next().unwrap_or_default();
    let is_standard = is_outside && crate::resolve::BUILT_IN.contains(&root);
    if is_standard || edge.code.as_ref().is_some_and(|it| !it.direct) {
        return None;
    }
    let mut caught = Captures::new();
    let covering = cx.config.capturing(&contract.from, &edge.from, &mut caught);
    let (_, from) = covering?;
    let itself = cx.config.covering(&contract.from, &edge.to);
    let is_itself = itself.is_some_and(|(_, to)| to == from);
    let allowed = || cx.config.capturing(&contract.to, &edge.to, &mut caught);
    if is_itself || { allowed }().is_some() {
        return None;
    }
    Some(if is_outside {
        root.to_owned()
    } else {
        edge.to.path.clone()
    })
}

fn finding(cx: &Context, contract: &Only, edge: &Edge) -> Diagnostic {
    let names: Vec<&str> = contract.to.iter().map(|it| it.get_ref().as_str()).collect();
    let message = format!(
        "`{}` uses `{}`, which is not on its list",
        edge.from.path, edge.to.path
    );
    let line = cx.config.covering(&contract.from, &edge.from);
    Diagnostic::new("SL013", edge.place.clone(), message)
        .label("not on the list")
        .note(
            format!(
                "only `{}` may be used{}",
                names.join("`, `"),
                reason(&contract.reason)
            ),
            line.map(|(it, _)| cx.config.place(it)),
        )
        .help("do without it, pass in what it gives, or add it to the list")
        .to(&edge.to.path)
        .from(&edge.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn one_of_several_things_may_not_use_another() {
        check(
            "SL013",
            "//- structure-lint.toml\n[[only]]\nfrom = [\"app::feature::{f}\"]\nto = [\"app::shared::{f}\"]\n\
             //- src/lib.rs\nmod shared { pub mod a {} pub mod b {} }\nmod feature { pub mod a {\n\
             use crate::shared::a::X;\nuse crate::shared::b::X as Y;\nuse super::b::Z;\n}\npub mod b { mod c { use super::Z; } } }\n",
            "src/lib.rs:4:20 `app::feature::a` uses `app::shared::b`, which is not on its list
             src/lib.rs:5:12 `app::feature::a` uses `app::feature::b`, which is not on its list",
        );
    }

    #[test]
    fn what_an_allowed_crate_re_exports_is_allowed() {
        check(
            "SL013",
            "//- structure-lint.toml\n[[only]]\nfrom = [\"a\"]\nto = [\"b\"]\n//- a/src/lib.rs uses b\nuse b::Pool;\n\
             //- b/src/lib.rs uses sqlx\npub use sqlx::Pool;\n",
            "",
        );
    }
}
