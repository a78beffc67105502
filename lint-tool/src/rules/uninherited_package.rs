//! SL026

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Span};
use crate::manifest::Manifest;

/// A member with an edition or lints of its own, where the workspace has them.
pub(super) struct UninheritedPackage;

impl Rule for UninheritedPackage {
    fn code(&self) -> &'static str {
        "SL026"
    }

    fn name(&self) -> &'static str {
        "uninherited-package"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"A member with an edition or lints of its own, where the workspace has them.

`[workspace.package] edition` and `[workspace.lints]` count for no member that does not ask for them.
A new member without `[lints] workspace = true` is checked by none of the lints, and one that states
its edition stays behind when the others move. A member with a `[lints]` table of its own is meant:
Cargo has no other way to differ.

```bad
//- Cargo.toml
[workspace]
members = ["app"]
[workspace.package]
edition = "2024"
[workspace.lints.rust]
unused_must_use = "deny"
//- app/Cargo.toml
[package]
name = "app"
edition = "2021"
//- app/src/lib.rs
```

```good
//- Cargo.toml
[workspace]
members = ["app"]
[workspace.package]
edition = "2024"
[workspace.lints.rust]
unused_must_use = "deny"
//- app/Cargo.toml
[package]
name = "app"
edition.workspace = true
[lints]
workspace = true
//- app/src/lib.rs
```

Without `strict = true` another edition beside a `rust-version` of its own is meant: the package serves
older compilers than the others do. So is what a comment of the manifest explains.

How to fix: write `edition.workspace = true` and `[lints] workspace = true`."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let root = &cx.workspace.root;
        let Some(table) = &root.workspace else {
            return;
        };
        for package in &cx.workspace.packages {
            let manifest = &package.manifest;
            let name = manifest.package.as_ref().map_or(Span::START, |it| it.span);
            let other_floor = manifest.own_rust_version
                && manifest.edition != table.edition
                && !cx.config.is_strict();
            let explained = |it: bool| it && !cx.config.is_strict();
            let is_meant = other_floor || explained(manifest.edition_explained);
            if table.edition.is_some() && !manifest.edition_inherited && !is_meant {
                let place = manifest.edition_place.unwrap_or(name);
                let message = format!("`{}` does not inherit its edition", package.name);
                out.push(finding(
                    manifest,
                    place,
                    message,
                    "edition.workspace = true",
                    "edition",
                ));
            }
            let has_lints = manifest.has_lints || explained(manifest.lints_explained);
            if let Some(lints) = table.lints.filter(|_| !has_lints) {
                let message = format!("`{}` does not inherit the lints", package.name);
                let finding = finding(manifest, name, message, "[lints] workspace = true", "lints");
                out.push(finding.note("none of these count here", Some(root.place(lints))));
            }
        }
    }
}

fn finding(manifest: &Manifest, place: Span, message: String, fix: &str, to: &str) -> Diagnostic {
    Diagnostic::new("SL026", manifest.place(place), message)
        .label("not inherited")
        .help(format!("write `{fix}`"))
        .to(to)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    fn workspace(root: &str, own: &str) -> String {
        format!(
            "//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\n{root}\n//- a/Cargo.toml\n[package]\nname = \"a\"\n{own}\n//- a/src/lib.rs\n"
        )
    }

    #[test]
    fn only_what_the_workspace_offers_is_asked_for() {
        check("SL026", &workspace("", "edition = \"2021\""), "");
        let edition = "[workspace.package]\nedition = \"2024\"";
        check(
            "SL026",
            &workspace(edition, ""),
            "a/Cargo.toml:2:8 `a` does not inherit its edition",
        );
        let lints = "[workspace.lints.clippy]\ntodo = \"warn\"";
        check(
            "SL026",
            &workspace(lints, ""),
            "a/Cargo.toml:2:8 `a` does not inherit the lints",
        );
        check(
            "SL026",
            &workspace(lints, "[lints.clippy]\ntodo = \"allow\""),
            "",
        );
        check("SL026", &workspace(lints, "[lints]\nworkspace = true"), "");
    }
    #[test]
    fn without_strict_a_comment_is_a_reason() {
        let loose = |root: &str, own: &str, expected: &str| {
            let config = "//- structure-lint.toml\nstrict = false\n";
            check(
                "SL026",
                &format!("{}{config}", workspace(root, own)),
                expected,
            );
        };
        let edition = "[workspace.package]\nedition = \"2024\"";
        let found = "a/Cargo.toml:3:11 `a` does not inherit its edition";
        loose(edition, "edition = \"2021\"", found);
        loose(edition, "edition = \"2021\" # its macros need it", "");
        let lints = "[workspace.lints.clippy]\ntodo = \"warn\"";
        let found = "a/Cargo.toml:2:8 `a` does not inherit the lints";
        loose(lints, "# lints", found);
        loose(lints, "# The lints are too strict for generated code.", "");
    }
}
