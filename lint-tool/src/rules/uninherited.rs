//! SL024

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::manifest::{Dependency, DependencyKind, Manifest};
use crate::paths;

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
one with another name or another source, with features that differ, with a version that the workspace's
would not do for, an exact version, another version for each target, and a dev-dependency by path alone,
which is left out when the package is published. So is one whose comment gives a reason.

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
                let is_meant = dependency.explained
                    || is_by_target(&package.manifest, dependency)
                    || shared.is_some_and(|it| is_special(cx, &package.manifest, dependency, it));
                if cx.config.is_strict() || !is_meant {
                    let place = package.manifest.place(dependency.key.span);
                    out.push(finding(root, place, dependency, shared));
                }
            }
        }
    }
}

fn finding(
    root: &Manifest,
    place: Place,
    own: &Dependency,
    shared: Option<&Dependency>,
) -> Diagnostic {
    let name = &own.key.value;
    let message = match shared {
        Some(_) => format!("`{name}` does not inherit the workspace's entry"),
        None => format!("`{name}` is not in `[workspace.dependencies]`"),
    };
    let finding = Diagnostic::new("SL024", place, message)
        .label("stated here alone")
        .to(own.package());
    match shared {
        Some(it) => finding
            .note("the workspace's entry", Some(root.place(it.key.span)))
            .help(format!("write `{}`", inherited(own, it))),
        None => finding.help(format!(
            "move it to `[workspace.dependencies]`, and write `{name}.workspace = true` here"
        )),
    }
}

/// The entry that inherits, with what it has beside the workspace's.
fn inherited(own: &Dependency, shared: &Dependency) -> String {
    let quoted: Vec<String> = own.features.iter().map(|it| format!("\"{it}\"")).collect();
    let mut more = Vec::new();
    if !quoted.is_empty() {
        more.push(format!("features = [{}]", quoted.join(", ")));
    }
    if shared.no_defaults && !own.no_defaults {
        more.push("default-features = true".to_owned());
    }
    if own.optional {
        more.push("optional = true".to_owned());
    }
    let name = &shared.key.value;
    if more.is_empty() {
        return format!("{name}.workspace = true");
    }
    format!("{name} = {{ workspace = true, {} }}", more.join(", "))
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
fn is_special(cx: &Context, manifest: &Manifest, own: &Dependency, shared: &Dependency) -> bool {
    let adds_features = shared.features.iter().any(|it| !own.features.contains(it));
    own.key.value != shared.key.value
        || own.no_defaults && !shared.no_defaults
        || adds_features
        || repository(own) != repository(shared)
        || folder(manifest, own) != folder(&cx.workspace.root, shared)
        || !is_compatible(own, shared)
        || own.kind == DependencyKind::Dev && own.path.is_some() && own.version.is_none()
}

fn repository(it: &Dependency) -> Option<&str> {
    it.git.as_ref().map(|it| it.value.as_str())
}

/// Where a path dependency lies; what leaves the workspace is told apart by its text.
fn folder(manifest: &Manifest, it: &Dependency) -> Option<String> {
    let path = &it.path.as_ref()?.value;
    Some(paths::join(manifest.dir(), path).unwrap_or_else(|| path.clone()))
}

/// Whether one version of the package can do for both entries, as Cargo sees it. What is no plain
/// version (`=1.2`, `>=1, <3`) only does for itself.
fn is_compatible(own: &Dependency, shared: &Dependency) -> bool {
    let (Some(one), Some(other)) = (&own.version, &shared.version) else {
        return own.version == shared.version || own.path.is_some() || own.git.is_some();
    };
    one == other || line(one).is_some_and(|it| Some(it) == line(other))
}

/// What all versions share that Cargo takes for compatible: the first number that is not zero.
fn line(version: &str) -> Option<(u64, u64, u64)> {
    let requirement = semver::VersionReq::parse(version).ok()?;
    let [it] = requirement.comparators.as_slice() else {
        return None;
    };
    let known = (it.op == semver::Op::Caret && it.pre.is_empty()).then_some(it)?;
    Some(match (known.major, known.minor, known.patch) {
        (0, Some(0), patch) => (0, 0, patch.unwrap_or(0)),
        (0, minor, _) => (0, minor.unwrap_or(0), 0),
        (major, ..) => (major, 0, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::check::check_files;
    use crate::config::Config;
    use crate::files::SourceFiles;
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
        for entry in [
            "serde = \"=1.0.1\"",
            "serde = \"0.9\"",
            "serde = \"2\"",
            "serde = \">=1, <3\"",
            "serde = \"1\" # the newer derive is too slow",
            "serde = { git = \"https://example.org/serde\" }",
            "serde = { path = \"../serde\" }",
        ] {
            own(entry, "");
        }
        own(
            "serde = \"1\"\n[target.'cfg(unix)'.dependencies]\nserde = \"1.2\"",
            "",
        );
        own(
            "serde = \"1.0\"",
            "a/Cargo.toml:4:1 `serde` does not inherit the workspace's entry",
        );
    }

    #[test]
    fn versions_are_compatible_as_cargo_sees_it() {
        let check = |one: &str, other: &str, expected: bool| {
            let is = line(one).is_some() && line(one) == line(other);
            assert_eq!(is, expected, "{one} {other}");
        };
        check("1", "1.2.3", true);
        check("^1.0", "1", true);
        check("0.3", "0.3.9", true);
        check("0.3", "0.4", false);
        check("0.0.3", "0.0.4", false);
        check("1", "2", false);
        check("~1.2", "1.2", false);
        check("*", "1", false);
    }

    #[test]
    fn without_strict_features_are_never_added_and_the_help_keeps_them() {
        let with = |shared: &str, own: &str| {
            let files = SourceFiles::fixture(&format!(
                "//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\nserde = {shared}\n\
                 //- a/Cargo.toml\n[package]\nname = \"a\"\n[dependencies]\nserde = {own}\n//- a/src/lib.rs\n"
            ));
            let today = "2026-11-22".parse().unwrap();
            let report = check_files(&files, &Config::default(), today).unwrap();
            let of_rule = report.diagnostics.iter().filter(|it| it.code == "SL024");
            of_rule.filter_map(|it| it.help.clone()).collect::<String>()
        };
        let derive = "{ version = \"1\", features = [\"derive\"] }";
        assert_eq!(with(derive, "\"1\""), "");
        assert_eq!(
            with("\"1\"", derive),
            "write `serde = { workspace = true, features = [\"derive\"] }`"
        );
        let bare = "{ version = \"1\", default-features = false }";
        assert_eq!(
            with(bare, "{ version = \"1\", optional = true }"),
            "write `serde = { workspace = true, default-features = true, optional = true }`"
        );
        assert_eq!(with(bare, bare), "write `serde.workspace = true`");
    }

    #[test]
    fn only_strict_asks_for_what_the_workspace_does_not_have() {
        check("SL024", &workspace("", "log = \"1\""), "");
        check(
            "SL024",
            &workspace("[rules]\nSL024 = { strict = true }", "log = \"1\""),
            "a/Cargo.toml:4:1 `log` is not in `[workspace.dependencies]`",
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
