//! SL024

use super::Rule;
use crate::diagnostic::{Diagnostic, Level};
use crate::engine::Context;
use crate::manifest::DependencyKind;

/// A dependency that does not come from `[workspace.dependencies]`.
pub(super) struct Uninherited;

impl Rule for Uninherited {
    fn code(&self) -> &'static str {
        "SL024"
    }

    fn name(&self) -> &'static str {
        "uninherited"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"A dependency that does not come from `[workspace.dependencies]`.

Two members that state a version each drift apart, and an update has to find them all. What
`[workspace.dependencies]` has is inherited; with `strict = true` everything must be there.

```bad
//- Cargo.toml
[workspace]
members = ["app"]
[workspace.dependencies]
serde = "1"
//- app/Cargo.toml
[package]
name = "app"
[dependencies]
serde = "1.0.200"
//- app/src/lib.rs
```

```good
//- Cargo.toml
[workspace]
members = ["app"]
[workspace.dependencies]
serde = "1"
//- app/Cargo.toml
[package]
name = "app"
[dependencies]
serde.workspace = true
//- app/src/lib.rs
```

How to fix: write `name.workspace = true`, features may be added beside it."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let root = &cx.workspace.root;
        if !root
            .workspace
            .as_ref()
            .is_some_and(|it| it.has_dependencies)
        {
            return;
        }
        let strict = cx.config.rule("SL024").strict;
        for package in &cx.workspace.packages {
            let own = package.manifest.dependencies.iter();
            for dependency in own.filter(|it| it.kind.is_own() && !it.inherited) {
                let shared = root.dependencies.iter().find(|it| {
                    it.kind == DependencyKind::Shared && it.package() == dependency.package()
                });
                if shared.is_none() && !strict {
                    continue;
                }
                let name = &dependency.key.value;
                let place = package.manifest.place(dependency.key.span);
                let finding =
                    Diagnostic::new("SL024", place, format!("`{name}` states its own source"))
                        .label("not inherited")
                        .note(
                            "the workspace's entry",
                            shared.map(|it| root.place(it.key.span)),
                        )
                        .help(format!("write `{name}.workspace = true`"))
                        .to(dependency.package());
                out.push(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    fn workspace(config: &str, own: &str) -> String {
        format!(
            "//- structure-lint.toml\n{config}\n//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\nserde = \"1\"\n//- a/Cargo.toml\n[package]\nname = \"a\"\n[dependencies]\n{own}\n//- a/src/lib.rs\n"
        )
    }

    #[test]
    fn only_strict_asks_for_what_the_workspace_does_not_have() {
        check("SL024", &workspace("", "log = \"1\""), "");
        check(
            "SL024",
            &workspace("[rules]\nSL024 = { strict = true }", "log = \"1\""),
            "a/Cargo.toml:4:1 `log` states its own source",
        );
        check(
            "SL024",
            &workspace("", "serde = { workspace = true, features = [\"derive\"] }"),
            "",
        );
    }

    #[test]
    fn without_a_workspace_there_is_nothing_to_inherit() {
        check("SL024", "//- app/src/lib.rs uses serde\n", "");
    }
}
