//! SL012

use super::Rule;
use super::edge_report::report;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::paths::Captures;

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

Some edges are wrong whatever the layers say. `[[forbid]]` names them. `{name}` in `from` stands for
one component, and `{name}` in `to` for the same one.

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
        for (index, contract) in cx.config.forbid.iter().enumerate() {
            let violations = cx
                .edges
                .from(&cx.config.all_of(&contract.from))
                .filter_map(|edge| {
                    let mut caught = Captures::new();
                    let (_, from) = cx
                        .config
                        .capturing(&contract.from, &edge.from, &mut caught)?;
                    let (line, to) = cx.config.capturing(&contract.to, &edge.to, &mut caught)?;
                    (from != to).then_some((edge, to, line))
                });
            report(index, violations, out, |edge, to, line| {
                let reason = contract
                    .reason
                    .as_ref()
                    .map(|it| format!(": {it}"))
                    .unwrap_or_default();
                let message = format!("`{}` may not use `{}`", edge.from.path, edge.to.path);
                Diagnostic::new("SL012", edge.place.clone(), message)
                    .label(format!("leads to `{to}`"))
                    .note(format!("forbidden{reason}"), Some(cx.config.place(line)))
                    .help("turn the edge round, or move what is needed below both")
                    .to(&edge.to.path)
                    .from(&edge.from)
            });
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

    #[test]
    fn a_capture_of_one_side_is_known_on_the_other() {
        check(
            "SL012",
            "//- structure-lint.toml\n[[forbid]]\nfrom = [\"functions/{f}\"]\nto = [\"app::{f}\"]\n\
             //- functions/x-y/src/lib.rs uses app\nuse app::x_y::A;\nuse app::z::A as B;\n\
             //- app/src/lib.rs\npub mod x_y {}\npub mod z {}\n",
            "functions/x-y/src/lib.rs:1:5 `x_y` may not use `app::x_y`",
        );
    }
}
