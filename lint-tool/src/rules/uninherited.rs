//! SL024

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::manifest::{Dependency, DependencyKind, Manifest};

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
`[workspace.dependencies]` has is inherited; with the rule's `strict = true` everything must be there.
Without the configuration's `strict = true` an entry is left alone that could not be inherited as it is:
one with another name or without default features, an exact version, another version for each target,
and a dev-dependency by path alone, which is left out when the package is published.

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
                let is_meant = is_by_target(&package.manifest, dependency)
                    || shared.is_some_and(|it| is_special(dependency, it));
                if !cx.config.is_strict() && is_meant {
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

/// Whether the manifest asks for the package in two versions, as it does for two targets.
fn is_by_target(manifest: &Manifest, dependency: &Dependency) -> bool {
    let mut others = manifest.dependencies.iter();
    others.any(|it| {
        it.package() == dependency.package()
            && it.kind == dependency.kind
            && it.version.is_some()
            && it.version != dependency.version
    })
}

/// Whether inheriting would say something else.
fn is_special(own: &Dependency, shared: &Dependency) -> bool {
    let is_exact = |it: &Dependency| it.version.as_ref().is_some_and(|it| it.starts_with('='));
    own.key.value != shared.key.value
        || own.no_defaults && !shared.no_defaults
        || is_exact(own) && !is_exact(shared)
        || own.kind == DependencyKind::Dev && own.path.is_some() && own.version.is_none()
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
    fn without_strict_what_cannot_be_inherited_is_left_alone() {
        let own = |entry: &str, expected: &str| {
            check("SL024", &workspace("strict = false", entry), expected);
        };
        own("old = { package = \"serde\", version = \"0.9\" }", "");
        own("serde = { version = \"1\", default-features = false }", "");
        own("serde = \"=1.0.1\"", "");
        own(
            "serde = \"1\"\n[target.'cfg(unix)'.dependencies]\nserde = \"1.2\"",
            "",
        );
        own(
            "serde = \"1.0\"",
            "a/Cargo.toml:4:1 `serde` states its own source",
        );
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
