//! SL021

use std::collections::BTreeMap;

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::manifest::Manifest;
use crate::paths;

/// A path dependency that `exclude` keeps out of the workspace.
pub(super) struct StrayMember;

/// How many users of an excluded crate are shown.
const SHOWN: usize = 3;

/// Folders of code that others wrote: it is kept out on purpose.
const BORROWED: [&str; 9] = [
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "external",
    "extern",
    "contrib",
    "patches",
];

impl Rule for StrayMember {
    fn code(&self) -> &'static str {
        "SL021"
    }

    fn name(&self) -> &'static str {
        "stray-member"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn strict_level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A path dependency that `exclude` keeps out of the workspace.

Cargo makes a member of what a member reaches by path below the root, unless `exclude` names it. An
excluded crate is built with the others, but `cargo test --workspace` and `cargo clippy --workspace`
pass it by, and it inherits nothing. Without `strict = true` it is left alone where it is a workspace
of its own, lies in a folder of other people's code such as `vendor`, or a comment at `exclude` says why.

```bad
//- Cargo.toml
[workspace]
members = ["app"]
exclude = ["helper"]
//- app/src/lib.rs uses helper
//- helper/src/lib.rs
```

```good
//- Cargo.toml
[workspace]
members = ["app"]
//- app/src/lib.rs uses helper
//- helper/src/lib.rs
```

How to fix: take it out of `exclude` in the root manifest."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (dir, users) in users(cx) {
            let Some(entry) = cx.workspace.excluding(&dir) else {
                continue;
            };
            if !cx.config.is_strict() && is_meant(cx, &dir) {
                continue;
            }
            let message = format!("`{dir}` is excluded from the workspace, and a member needs it");
            let place = cx.workspace.root.place(entry.span);
            let mut finding = Diagnostic::new("SL021", place, message)
                .label("built, but not tested or linted with the others")
                .help(format!("take \"{}\" out of `exclude`", entry.value))
                .to(&dir);
            for user in users.into_iter().take(SHOWN) {
                finding = finding.note("it is needed here", Some(user));
            }
            out.push(finding);
        }
    }
}

/// Each folder of a package that members depend on by path, with the entries that say so.
fn users(cx: &Context) -> BTreeMap<String, Vec<Place>> {
    let mut users: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for package in &cx.workspace.packages {
        let manifest = &package.manifest;
        for dependency in manifest.dependencies.iter().filter(|it| it.kind.is_own()) {
            let source = cx.workspace.source_of(manifest, dependency);
            let dir =
                source.and_then(|(origin, it)| paths::join(origin.dir(), &it.path.as_ref()?.value));
            let dir = dir.filter(|it| cx.files.has(&format!("{it}/Cargo.toml")));
            if let Some(dir) = dir {
                let place = manifest.place(dependency.key.span);
                users.entry(dir).or_default().push(place);
            }
        }
    }
    users
}

fn is_meant(cx: &Context, dir: &str) -> bool {
    let table = cx.workspace.root.workspace.as_ref();
    let path = format!("{dir}/Cargo.toml");
    let text = cx.files.get(&path).unwrap_or_default();
    table.is_some_and(|it| it.exclude_explained)
        || dir.split('/').any(|it| BORROWED.contains(&it))
        || Manifest::parse(&path, text).is_ok_and(|it| it.workspace.is_some())
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn what_cargo_makes_a_member_is_one() {
        for root in [
            "members = [\"crates/*\"]",
            "members = [\"crates/a\"]",
            "members = [\"crates/a\", \"crates/b\"]\nexclude = [\"crates\"]",
            "[workspace.dependencies]\nb = { path = \"crates/b\" }",
            "[workspace.metadata]",
        ] {
            let fixture = format!(
                "//- Cargo.toml\n[package]\nname = \"root\"\n[dependencies]\na = {{ path = \"crates/a\" }}\n\
                 [workspace]\n{root}\n//- src/lib.rs\n//- crates/a/src/lib.rs uses b\n//- crates/b/src/lib.rs\n"
            );
            check("SL021", &fixture, "");
        }
    }

    fn excluded(config: &str, exclude: &str, manifest: &str, expected: &str) {
        let own = |path: &str, name: &str| {
            format!("//- {path}/Cargo.toml\n[package]\nname = \"{name}\"\n")
        };
        let dependency =
            "[dependencies]\nb = { path = \"../vendor/b\" }\nc = { path = \"../c\" }\n";
        check(
            "SL021",
            &format!(
                "//- structure-lint.toml\n{config}\n//- Cargo.toml\n[workspace]\nmembers = [\"a\", \"d\"]\n{exclude}\n\
                 {}{dependency}//- a/src/lib.rs\n{}{dependency}//- d/src/lib.rs\n{}//- vendor/b/src/lib.rs\n{}{manifest}\n//- c/src/lib.rs\n",
                own("a", "a"),
                own("d", "d"),
                own("vendor/b", "b"),
                own("c", "c"),
            ),
            expected,
        );
    }

    #[test]
    fn an_excluded_crate_is_said_once_at_its_entry() {
        excluded(
            "",
            "exclude = [\"vendor\", \"c\"]",
            "",
            "Cargo.toml:3:12 `vendor/b` is excluded from the workspace, and a member needs it\n\
             Cargo.toml:3:22 `c` is excluded from the workspace, and a member needs it",
        );
    }

    #[test]
    fn without_strict_what_is_meant_is_left_alone() {
        let loose = |exclude: &str, manifest: &str, expected: &str| {
            excluded("strict = false", exclude, manifest, expected);
        };
        let found = "Cargo.toml:3:22 `c` is excluded from the workspace, and a member needs it";
        let both = "exclude = [\"vendor\", \"c\"]";
        loose(both, "", found);
        loose(both, "[workspace]", "");
        loose(&format!("{both} # built for another target"), "", "");
    }
}
