//! SL005

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place, Span};
use crate::facts::{Facts, PathRef};

/// `super::super::` that climbs out of the file more than once.
pub(super) struct SuperChain;

impl Rule for SuperChain {
    fn code(&self) -> &'static str {
        "SL005"
    }

    fn name(&self) -> &'static str {
        "super-chain"
    }

    fn level(&self) -> Level {
        Level::Off
    }

    fn strict_level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"`super::super::` that climbs out of the file more than once.

`super::super::x` says how far away `x` is, not where. It breaks when the file moves, and the
reader has to count. Levels are counted beyond the file, so a test module may say `super::super`.
Only with `strict = true`: one well-kept crate in three takes such a path for a neighbour's.

```bad
mod a;
//- src/a.rs
mod b;
//- src/a/b.rs
use super::super::top;
```

```good
mod a;
//- src/a.rs
mod b;
//- src/a/b.rs
use crate::top;
mod tests { use super::super::*; }
```

How to fix: write the path from `crate`."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (id, module, facts) in cx.modules.files() {
            let owners = cx.modules.by_scope(id);
            let paths = facts.uses.iter().map(|it| &it.path).chain(&facts.paths);
            for path in paths {
                let Some((span, climbed)) = chain(facts, path) else {
                    continue;
                };
                let from = std::iter::successors(Some(owners[path.scope]), |it| {
                    cx.modules.all[*it].parent
                });
                let target = from
                    .into_iter()
                    .nth(climbed)
                    .map(|it| &cx.modules.all[it].path);
                let inner = target
                    .and_then(|it| it.split_once("::"))
                    .map(|(_, it)| format!("::{it}"));
                let help = format!("write `crate{}::…`", inner.unwrap_or_default());
                let message = format!(
                    "`{}` climbs more than one level out of its file",
                    path.text()
                );
                let finding = Diagnostic::new("SL005", Place::new(&module.file, span), message);
                out.push(finding.label("says how far, not where").help(help));
            }
        }
    }
}

/// The `super`s of a path that leaves its file twice or more, and how many they are.
fn chain(facts: &Facts, path: &PathRef) -> Option<(Span, usize)> {
    let supers: Vec<Span> = path
        .segments
        .iter()
        .skip_while(|it| it.name == "self")
        .take_while(|it| it.name == "super")
        .map(|it| it.span)
        .collect();
    let around = std::iter::successors(Some(path.scope), |it| facts.scopes[*it].parent);
    let inline = around
        .filter(|it| facts.scopes[*it].module.is_some())
        .count();
    let (first, last) = (supers.first()?, supers.last()?);
    let width = if first.line == last.line {
        last.column + last.width - first.column
    } else {
        first.width
    };
    (supers.len() >= inline + 2).then_some((Span { width, ..*first }, supers.len()))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{check, findings};

    #[test]
    fn levels_are_counted_beyond_the_file() {
        let inside =
            |source: &str| format!("mod a;\n//- src/a.rs\nmod b;\n//- src/a/b.rs\n{source}\n");
        let message = "climbs more than one level out of its file";
        check(
            "SL005",
            &inside("fn f() { super::super::g() }"),
            &format!("src/a/b.rs:1:10 `super::super::g` {message}"),
        );
        check("SL005", &inside("mod m { use super::super::x; }"), "");
        check(
            "SL005",
            &inside("mod m { use super::super::super::x; }"),
            &format!("src/a/b.rs:1:13 `super::super::super::x` {message}"),
        );
        check("SL005", &inside("pub(in super::super) fn f() {}"), "");
        assert_eq!(
            findings(
                "SL005",
                &inside("fn f() { println!(\"{}\", super::super::g()) }")
            )
            .len(),
            1
        );
    }
}
