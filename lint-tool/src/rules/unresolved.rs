//! SL906

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Note, Place, Span};

/// Too many paths whose beginning is not known.
pub(crate) struct Unresolved;

/// The share that is usual where macros are many, in per cent.
const USUAL: u32 = 10;
/// How many places a finding shows.
pub(crate) const SHOWN: usize = 5;
/// In fewer paths a share says nothing.
const FEW_PATHS: usize = 200;

impl Rule for Unresolved {
    fn code(&self) -> &'static str {
        "SL906"
    }

    fn name(&self) -> &'static str {
        "unresolved"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"Too many paths whose beginning is not known.

A path that leads nowhere is an edge that no rule sees: its crate is not in the manifest, or a macro
makes the name. The share is printed with each check; above `SL906 = { max = 10 }` per cent it is a
finding (of two hundred paths or more). `--strict-unresolved` allows none at all.

```bad
//- structure-lint.toml
[rules]
SL906 = { max = 0 }
//- src/lib.rs
fn f() { nowhere::g() }
```

```good
//- structure-lint.toml
[rules]
SL906 = { max = 0 }
//- src/lib.rs
mod here { pub fn g() {} }
fn f() { here::g() }
```

How to fix: add the crate to the manifest, or write the path out where a macro hides it."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let edges = cx.edges;
        let stated = cx.config.rule("SL906").max;
        let limit = edges.paths * stated.unwrap_or(USUAL) as usize;
        if (stated.is_some() || edges.paths >= FEW_PATHS) && edges.unresolved.len() * 100 > limit {
            out.push(finding(
                edges.unresolved.len(),
                edges.paths,
                &edges.unresolved,
            ));
        }
    }
}

/// The finding about so many paths, the first of which are shown.
pub(crate) fn finding(unresolved: usize, paths: usize, places: &[Note]) -> Diagnostic {
    let message = format!("{unresolved} of {paths} paths lead nowhere");
    let finding = Diagnostic::new("SL906", Place::new("Cargo.toml", Span::START), message)
        .label("edges that no rule sees")
        .help("add the crates to the manifest, or write the paths out where a macro hides them");
    let shown = places.iter().take(SHOWN).cloned();
    shown.fold(finding, |finding, it| finding.note(it.text, it.place))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn a_few_paths_are_no_share() {
        let many = |known: usize, unknown: usize| {
            let paths = "std::x();".repeat(known) + &"nowhere::x();".repeat(unknown);
            format!("fn f() {{ {paths} }}")
        };
        check("SL906", &many(1, 1), "");
        check("SL906", &many(180, 20), "");
        check(
            "SL906",
            &many(179, 21),
            "Cargo.toml:1:1 21 of 200 paths lead nowhere",
        );
    }
}
