//! SL904

use super::Rule;
use std::collections::BTreeSet;

use toml::Spanned;

use crate::check::Context;
use crate::config::Independent;
use crate::diagnostic::{Diagnostic, Level};
use crate::edges::{Spot, spot};
use crate::hint::meant;
use crate::paths::wildcard;
use crate::selector::Selector;
use crate::workspace::ident;

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
selector of the configuration must match a file, a module or a crate, a crate of `[[confine]]` be one that
a member depends on, a table of `[models]` one that a migration or a statement has, and `[[independent]]`
name more than one thing.

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
        let outside = cx.workspace.crates_outside();
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
                let meant = meant(cx.workspace, cx.modules, text.get_ref());
                let help = meant.unwrap_or(
                    "correct it, or remove it: a rule about nothing checks nothing".into(),
                );
                out.push(Diagnostic::new("SL904", cx.config.place(text), message).help(help));
            }
        }
        out.extend(unknown_crates(cx, &outside));
        out.extend(unknown_tables(cx));
        out.extend(lonely_members(cx));
    }
}

/// Crates of `[[confine]]` that nobody depends on.
fn unknown_crates<'a>(
    cx: &'a Context,
    outside: &'a BTreeSet<&str>,
) -> impl Iterator<Item = Diagnostic> + 'a {
    let unknown = cx.config.confine.iter().map(|it| &it.target).filter(|it| {
        let name = ident(it.get_ref().split("::").next().unwrap_or_default());
        let mut members = cx.workspace.packages.iter();
        let is_member = members.any(|it| it.ident == name || it.lib_name == name);
        !is_member && !outside.contains(name.as_str())
    });
    unknown.map(|it| {
        let message = format!("no member depends on a crate `{}`", it.get_ref());
        Diagnostic::new("SL904", cx.config.place(it), message)
            .help("correct it, or remove it: a rule about nothing checks nothing")
    })
}

/// Tables that `[models]` names and that no migration or statement has.
fn unknown_tables<'a>(cx: &'a Context) -> impl Iterator<Item = Diagnostic> + 'a {
    let models = &cx.config.models;
    let named = models.owners.keys().chain(models.readers.keys());
    let unknown = named.filter(|it| {
        let mut tables = cx.models.tables.keys();
        !tables.any(|table| wildcard(it.get_ref(), table))
    });
    unknown.map(|it| {
        let message = format!("no migration or statement has a table `{}`", it.get_ref());
        Diagnostic::new("SL904", cx.config.place(it), message)
            .help("correct it, or remove it: a rule about nothing checks nothing")
    })
}

/// Contracts between several things that name one thing.
fn lonely_members(cx: &Context) -> Vec<Diagnostic> {
    let lonely = cx.config.independent.iter().filter_map(|it| {
        let [member] = it.members.as_slice() else {
            return None;
        };
        let texts = match cx.config.groups.get(member.get_ref()) {
            Some(group) => group.as_slice(),
            None => std::slice::from_ref(member),
        };
        let is_one = matches!(texts, [text] if !text.get_ref().contains(['*', '{']));
        is_one.then_some((it, member))
    });
    let finding = |(it, member): (&Independent, &Spanned<String>)| {
        let message = format!(
            "`{}` has one member, which is independent of nothing",
            it.name
        );
        Diagnostic::new("SL904", cx.config.place(member), message)
            .help("name what it shall be independent of, or write `*` for each thing in a folder")
    };
    lonely.map(finding).collect()
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

    #[test]
    fn what_is_no_selector_must_name_something_too() {
        let at = |config: &str, expected: &str| {
            let fixture = format!(
                "//- structure-lint.toml\n{config}\n//- a/src/lib.rs uses serde\nconst A: &str = \"delete from t where id = $1\";\n//- b/src/lib.rs\n"
            );
            check("SL904", &fixture, expected);
        };
        at("[[confine]]\ncrate = \"serde\"\nto = [\"a\"]", "");
        at("[[confine]]\ncrate = \"std::env\"\nto = [\"a\"]", "");
        at("[[confine]]\ncrate = \"b\"\nto = [\"a\"]", "");
        at(
            "[[confine]]\ncrate = \"sered\"\nto = [\"a\"]",
            "structure-lint.toml:2:9 no member depends on a crate `sered`",
        );
        at("[models.owners]\n\"t*\" = \"a\"", "");
        at(
            "[models.owners]\ntt = \"a\"",
            "structure-lint.toml:2:1 no migration or statement has a table `tt`",
        );
        at(
            "[[independent]]\nname = \"i\"\nmembers = [\"a\", \"b\"]",
            "",
        );
        at("[[independent]]\nname = \"i\"\nmembers = [\"a/*\"]", "");
        at(
            "[[independent]]\nname = \"i\"\nmembers = [\"a\"]",
            "structure-lint.toml:3:12 `i` has one member, which is independent of nothing",
        );
    }
}
