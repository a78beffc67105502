//! SL016

use std::collections::BTreeMap;

use super::Rule;
use super::edge_report::{reason, report};
use crate::check::Context;
use crate::config::Facade;
use crate::diagnostic::{Diagnostic, Level};
use crate::edges::{Edge, spot};

/// A way past a facade into its inner modules.
pub(super) struct PastFacade;

impl Rule for PastFacade {
    fn code(&self) -> &'static str {
        "SL016"
    }

    fn name(&self) -> &'static str {
        "facade"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A way past a facade into its inner modules.

A crate or module that says everything at its root can be arranged anew inside. `[[facade]]` names
such places: others name their items and re-exports, never their inner modules, except those that
`open` lists. Between the modules of one crate this is what `pub(in …)` cannot say.

```bad
//- structure-lint.toml
[[facade]]
of = ["store"]
//- store/src/lib.rs
pub mod rows { pub struct Row; }
//- app/src/lib.rs uses store
use store::rows::Row;
```

```good
//- structure-lint.toml
[[facade]]
of = ["store"]
open = ["store::testing"]
//- store/src/lib.rs
pub mod rows { pub struct Row; }
pub mod testing { pub fn row() {} }
pub use rows::Row;
//- app/src/lib.rs uses store
use store::{Row, testing::row};
```

How to fix: name what the root offers, or re-export it there."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (index, contract) in cx.config.facade.iter().enumerate() {
            let roots = roots(cx, contract);
            let violations = cx
                .edges
                .to(&cx.config.all_of(&contract.of))
                .filter_map(|edge| {
                    let root = violation(cx, contract, &roots, edge)?;
                    Some((edge, edge.to.path.clone(), root))
                });
            report(index, violations, out, |edge, _, root| {
                finding(cx, contract, edge, root)
            });
        }
    }
}

/// Covered part → the module that is its root.
type Roots = BTreeMap<String, String>;

fn roots(cx: &Context, contract: &Facade) -> Roots {
    let mut roots = Roots::new();
    for id in 0..cx.modules.all.len() {
        let spot = spot(cx.modules, id);
        if let Some((_, part)) = cx.config.covering(&contract.of, &spot) {
            let root = roots.entry(part).or_insert_with(|| spot.path.clone());
            if spot.path.len() < root.len() {
                *root = spot.path;
            }
        }
    }
    roots
}

fn violation<'a>(
    cx: &Context,
    contract: &Facade,
    roots: &'a Roots,
    edge: &Edge,
) -> Option<&'a String> {
    if !edge.code.as_ref().is_some_and(|it| it.direct) {
        return None;
    }
    let (_, to) = cx.config.covering(&contract.of, &edge.to)?;
    let from = cx.config.covering(&contract.of, &edge.from);
    let root = roots.get(&to)?;
    let is_inside =
        from.is_some_and(|(_, from)| from == to) || edge.from.path.split("::").next() == Some(root);
    let is_open = || cx.config.covering(&contract.open, &edge.to).is_some();
    (!is_inside && edge.to.path != *root && !is_open()).then_some(root)
}

fn finding(cx: &Context, contract: &Facade, edge: &Edge, root: &str) -> Diagnostic {
    let message = format!(
        "`{}` goes past `{root}` to `{}`",
        edge.from.path, edge.to.path
    );
    let line = cx.config.covering(&contract.of, &edge.to);
    Diagnostic::new("SL016", edge.place.clone(), message)
        .label("an inner module")
        .note(
            format!("`{root}` is a facade{}", reason(&contract.reason)),
            line.map(|(it, _)| cx.config.place(it)),
        )
        .help(format!("name what `{root}` offers, or re-export it there"))
        .to(&edge.to.path)
        .from(&edge.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    const CONFIG: &str = "//- structure-lint.toml\n[[facade]]\nof = [\"crates/*\"]\n";

    #[test]
    fn each_match_of_a_folder_is_a_facade() {
        check(
            "SL016",
            &format!(
                "{CONFIG}//- crates/a-x/src/lib.rs uses b\npub mod m {{ pub struct S; }}\npub use m::S;\nuse b::S as T;\nfn f() {{ b::n::g() }}\n\
                 //- crates/b/src/lib.rs\npub mod n;\npub use n::S;\n//- crates/b/src/n.rs\nuse crate::n as own;\n//- crates/b/tests/it.rs\nuse b::n;\nuse n::g;\n"
            ),
            "crates/a-x/src/lib.rs:4:10 `a_x` goes past `b` to `b::n`",
        );
    }

    #[test]
    fn a_module_can_be_one() {
        check(
            "SL016",
            "//- structure-lint.toml\n[[facade]]\nof = [\"app::db\"]\n//- src/lib.rs\nmod db { pub mod rows { pub struct R; } pub use rows::R; }\nmod web { use crate::db::R;\nuse crate::db::rows; }\n",
            "src/lib.rs:3:16 `app::web` goes past `app::db` to `app::db::rows`",
        );
    }
}
