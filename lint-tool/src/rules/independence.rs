//! SL011

use super::Rule;
use super::edge_report::report;
use crate::check::Context;
use crate::config::Independent;
use crate::diagnostic::{Diagnostic, Level};
use crate::edges::Edge;

/// One of several independent things that uses another of them.
pub(super) struct Independence;

impl Rule for Independence {
    fn code(&self) -> &'static str {
        "SL011"
    }

    fn name(&self) -> &'static str {
        "independence"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"One of several independent things that uses another of them.

Things that are built, shipped or replaced one by one do not know each other. A selector with
`*` names one thing for each match, so `functions/*` keeps every function apart from every other.

```bad
//- structure-lint.toml
[[independent]]
name = "functions"
members = ["functions/*"]
//- functions/query/src/lib.rs uses ingest
fn f() { ingest::handle() }
//- functions/ingest/src/lib.rs
pub fn handle() {}
```

```good
//- structure-lint.toml
[[independent]]
name = "functions"
members = ["functions/*"]
//- functions/query/src/lib.rs uses shared
fn f() { shared::handle() }
//- functions/ingest/src/lib.rs uses shared
fn f() { shared::handle() }
//- shared/src/lib.rs
pub fn handle() {}
```

How to fix: move what both need into a crate below them."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (index, contract) in cx.config.independent.iter().enumerate() {
            let violations = cx
                .edges
                .from(&cx.config.all_of(&contract.members))
                .filter_map(|edge| {
                    let (_, from) = cx.config.covering(&contract.members, &edge.from)?;
                    let (_, to) = cx.config.covering(&contract.members, &edge.to)?;
                    (from != to).then_some((edge, to, ()))
                });
            report(index, violations, out, |edge, to, ()| {
                finding(cx, contract, edge, to)
            });
        }
    }
}

fn finding(cx: &Context, contract: &Independent, edge: &Edge, to: &str) -> Diagnostic {
    let message = format!(
        "`{}` uses `{}`, but they are independent",
        edge.from.path, edge.to.path
    );
    let reason = contract
        .reason
        .as_ref()
        .map(|it| format!(": {it}"))
        .unwrap_or_default();
    let rule = cx
        .config
        .covering(&contract.members, &edge.to)
        .map(|(it, _)| cx.config.place(it));
    Diagnostic::new("SL011", edge.place.clone(), message)
        .label(format!("leads to `{to}`"))
        .note(format!("`{}` are kept apart{reason}", contract.name), rule)
        .help("move what both need into a crate that both may use")
        .to(&edge.to.path)
        .from(&edge.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    const CONFIG: &str =
        "//- structure-lint.toml\n[[independent]]\nname = \"two\"\nmembers = [\"aam\", \"dcl\"]\n";

    #[test]
    fn a_way_through_a_re_export_is_seen() {
        check(
            "SL011",
            &format!(
                "{CONFIG}//- aam/src/lib.rs uses facade\nuse facade::deep;\n//- facade/src/lib.rs uses dcl\npub use dcl::deep;\n//- dcl/src/lib.rs\npub mod deep {{}}\n"
            ),
            "aam/src/lib.rs:1:5 `aam` uses `dcl::deep`, but they are independent",
        );
    }

    #[test]
    fn a_local_module_of_the_same_name_is_not_the_crate() {
        check(
            "SL011",
            &format!(
                "{CONFIG}//- aam/src/lib.rs\nmod dcl {{ pub fn f() {{}} }}\nfn f() {{ dcl::f() }}\n//- dcl/src/lib.rs\n"
            ),
            "",
        );
    }
}
