//! SL012

use super::Rule;
use super::edge_report::distinct;
use crate::diagnostic::{Diagnostic, Level};
use crate::engine::Context;

/// An edge that the configuration forbids.
pub(super) struct Forbidden;

impl Rule for Forbidden {
    fn code(&self) -> &'static str {
        "SL012"
    }

    fn name(&self) -> &'static str {
        "forbidden"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"An edge that the configuration forbids.

Some edges are wrong whatever the layers say. `[[forbid]]` names them.

```bad
//- structure-lint.toml
[[forbid]]
from = ["platform"]
to = ["aam"]
reason = "platform knows no domain word"
//- platform/src/lib.rs uses aam
type T = Vec<aam::Record>;
//- aam/src/lib.rs
pub(super) struct Record;
```

```good
//- structure-lint.toml
[[forbid]]
from = ["platform"]
to = ["aam"]
reason = "platform knows no domain word"
//- platform/src/lib.rs
//- aam/src/lib.rs uses platform
pub use platform as base;
```

How to fix: turn the edge round, or move what is needed."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for contract in &cx.config.forbid {
            let breaches = cx.edges.all.iter().filter_map(|edge| {
                let (_, from) = cx.config.covering(&contract.from, &edge.from)?;
                let (line, to) = cx.config.covering(&contract.to, &edge.to)?;
                (from != to).then_some((edge, to, line))
            });
            for (edge, to, line) in distinct(breaches.collect()) {
                let reason = contract
                    .reason
                    .as_ref()
                    .map(|it| format!(": {it}"))
                    .unwrap_or_default();
                let message = format!("`{}` may not use `{}`", edge.from.path, edge.to.path);
                let finding = Diagnostic::new("SL012", edge.place.clone(), message)
                    .label(format!("leads to `{to}`"))
                    .note(format!("forbidden{reason}"), Some(cx.config.place(line)))
                    .help("turn the edge round, or move what is needed below both")
                    .to(&edge.to.path)
                    .from(&edge.from);
                out.push(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn an_outside_path_can_be_forbidden() {
        check(
            "SL012",
            "//- structure-lint.toml\n[[forbid]]\nfrom = [\"app\"]\nto = [\"std::process\"]\n//- src/lib.rs\nfn f() { std::process::exit(1) }\n",
            "src/lib.rs:1:10 `app` may not use `std::process::exit`",
        );
    }
}
