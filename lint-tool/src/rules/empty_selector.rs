//! SL904

use super::Rule;
use std::collections::BTreeSet;

use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::edges::{Spot, spot};
use crate::selector::Selector;
use crate::workspace::Extern;

/// A selector that names nothing.
pub(super) struct EmptySelector;

impl Rule for EmptySelector {
    fn code(&self) -> &'static str {
        "SL904"
    }

    fn name(&self) -> &'static str {
        "empty-selector"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A selector that names nothing.

A selector that matches nothing checks nothing: a folder was renamed, or a name is misspelt. So every
selector of the configuration must match a file, a module or a crate.

```bad
//- structure-lint.toml
[[forbid]]
from = ["platfrom"]
to = ["app"]
//- src/lib.rs
```

```good
//- structure-lint.toml
[[forbid]]
from = ["app::db"]
to = ["app::routes", "std::process"]
//- src/lib.rs
mod db {}
mod routes {}
```

How to fix: correct the selector, or remove it."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let mut spots: Vec<Spot> = (0..cx.modules.all.len())
            .map(|it| spot(cx.modules, it))
            .collect();
        let manifests = cx
            .workspace
            .packages
            .iter()
            .map(|it| it.manifest.path.clone());
        let files = cx.files.paths().map(str::to_owned);
        spots.extend(files.chain(manifests).map(|file| Spot {
            path: String::new(),
            file,
            test: false,
            build: false,
        }));
        let outside = outside_crates(cx);
        for text in cx.config.all_selectors() {
            let selector = Selector::parse(text.get_ref());
            let is_outside = match &selector {
                Selector::Tests | Selector::Build => true,
                Selector::Module(path) => {
                    path.first().is_some_and(|it| outside.contains(it.as_str()))
                }
                Selector::File(_) => false,
            };
            if !is_outside && !spots.iter().any(|it| selector.covers(it).is_some()) {
                let message = format!("`{}` matches nothing", text.get_ref());
                let finding = Diagnostic::new("SL904", cx.config.place(text), message)
                    .help("correct it, or remove it: a rule about nothing checks nothing");
                out.push(finding);
            }
        }
    }
}

/// Crates from elsewhere: the standard library and every dependency.
fn outside_crates<'a>(cx: &'a Context) -> BTreeSet<&'a str> {
    let externs = cx
        .workspace
        .packages
        .iter()
        .flat_map(|it| it.externs.values());
    let named = externs.filter_map(|it| match it {
        Extern::Outside(name) => Some(name.as_str()),
        Extern::Member(_) => None,
    });
    named
        .chain(["std", "core", "alloc", "proc_macro"])
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn groups_are_looked_into() {
        check(
            "SL904",
            "//- structure-lint.toml\n[groups]\nlow = [\"src/db\", \"gone/*\"]\n[[confine]]\ncrate = \"std::env\"\nto = [\"low\"]\n//- src/lib.rs\nmod db;\n//- src/db/mod.rs\n",
            "structure-lint.toml:2:18 `gone/*` matches nothing",
        );
    }
}
