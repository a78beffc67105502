//! SL023

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::manifest::{Dependency, DependencyKind, Manifest};
use crate::paths;
use crate::workspace::{Package, ident};

/// A dependency on a member of the workspace that no code uses.
pub(super) struct UnusedMember;

impl Rule for UnusedMember {
    fn code(&self) -> &'static str {
        "SL023"
    }

    fn name(&self) -> &'static str {
        "unused-member"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"A dependency on a member of the workspace that no code uses.

An edge that stands in the manifest alone makes builds wait and graphs lie, and the next `use` of it
needs no review of a manifest. All `cfg` branches, tests, examples and the build script count as code.
An entry that asks for features may be there for them alone, and a dev-dependency for examples in the
documentation, and one under `cfg(any())` only ties versions together: all are silent. So is what
cargo-machete, cargo-shear or cargo-udeps are told to ignore, and, without `strict = true`, an entry
whose comment gives a reason.

```bad
//- app/src/lib.rs uses helper
//- helper/src/lib.rs
```

```good
//- app/src/lib.rs uses helper
#[cfg(windows)]
use helper as _;
//- helper/src/lib.rs
```

How to fix: remove the entry, or use it."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for package in &cx.workspace.packages {
            let manifest = &package.manifest;
            let own = manifest.dependencies.iter();
            for dependency in own.filter(|it| it.kind.is_own()) {
                let Some(member) = cx.workspace.member_of(manifest, dependency) else {
                    continue;
                };
                let is_unsure =
                    cx.modules.lib_of(member).is_none() || has_broken_file(cx, &package.dir);
                let target = &cx.workspace.packages[member].ident;
                let is_meant = !dependency.features.is_empty()
                    || dependency.forwarded
                    || dependency.never
                    || dependency.explained && !cx.config.is_strict()
                    || is_ignored_elsewhere(cx, manifest, dependency)
                    || dependency.kind == DependencyKind::Dev && is_in_words(cx, package, target);
                if is_unsure || is_meant || is_used(cx, &package.ident, target) {
                    continue;
                }
                let message = format!("`{}` depends on `{target}` and never uses it", package.name);
                let finding =
                    Diagnostic::new("SL023", manifest.place(dependency.key.span), message)
                        .label("in the manifest alone")
                        .help("remove the entry, or use it")
                        .to(target);
                out.push(finding);
            }
        }
    }
}

/// Whether another tool is told that the dependency is used.
fn is_ignored_elsewhere(cx: &Context, manifest: &Manifest, dependency: &Dependency) -> bool {
    [manifest, &cx.workspace.root].iter().any(|it| {
        let is_named = |name: &str| it.used_elsewhere.contains(&ident(name));
        is_named(&dependency.key.value) || is_named(dependency.package())
    })
}

/// A file that could not be parsed may be the one that uses it.
fn has_broken_file(cx: &Context, dir: &str) -> bool {
    let mut files = cx.modules.facts.iter();
    files.any(|(file, facts)| facts.error.is_some() && crate::paths::is_within(file, dir))
}

/// Whether any text of the package names it, such as an example in the documentation.
fn is_in_words(cx: &Context, package: &Package, name: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    let mut files = cx.files.paths();
    files.any(|file| {
        file.ends_with(".rs")
            && paths::is_within(file, &package.dir)
            && cx.files.get(file).is_some_and(|text| {
                let mut found = text.match_indices(name);
                found.any(|(at, it)| {
                    !text[..at].ends_with(is_part) && !text[at + it.len()..].starts_with(is_part)
                })
            })
    })
}

fn is_used(cx: &Context, from: &str, to: &str) -> bool {
    let is_of = |path: &str, package: &str| path.split("::").next() == Some(package);
    let mut code = cx.edges.all.iter().filter(|it| it.code.is_some());
    code.any(|it| is_of(&it.from.path, from) && is_of(&it.to.path, to) && !it.to.file.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn features_and_documentation_are_reasons_too() {
        let with = |entry: &str, source: &str| {
            format!(
                "//- app/Cargo.toml\n[package]\nname = \"app\"\n{entry}\n//- app/src/lib.rs\n{source}\n//- helper/src/lib.rs\n\
                 //- Cargo.toml\n[workspace]\nmembers = [\"app\", \"helper\"]\n"
            )
        };
        let features = "[dependencies]\nhelper = { path = \"../helper\", features = [\"x\"] }";
        check("SL023", &with(features, ""), "");
        let forwarded = "[dependencies]\nhelper = { path = \"../helper\" }\n[features]\nstd = [\"helper?/std\"]";
        check("SL023", &with(forwarded, ""), "");
        let plain = "[dependencies]\nhelper = { path = \"../helper\" }";
        for (tool, key) in [
            ("machete", "ignored"),
            ("shear", "ignored"),
            ("udeps.ignore", "normal"),
        ] {
            let ignore = format!("[package.metadata.cargo-{tool}]\n{key} = [\"helper\"]");
            check("SL023", &with(&format!("{plain}\n{ignore}"), ""), "");
        }
        let found = "app/Cargo.toml:4:1 `app` depends on `helper` and never uses it";
        let explained = format!("{plain} # links the allocator");
        check("SL023", &with(&explained, ""), found);
        let loose = "//- structure-lint.toml\nstrict = false\n";
        check("SL023", &format!("{}{loose}", with(&explained, "")), "");
        check("SL023", &format!("{}{loose}", with(plain, "")), found);
        let never = "[target.'cfg(any())'.dependencies]\nhelper = { path = \"../helper\" }";
        check("SL023", &with(never, ""), "");
        let dev = "[dev-dependencies]\nhelper = { path = \"../helper\" }";
        check("SL023", &with(dev, "/// `helper::f()`\npub fn f() {}"), "");
        check(
            "SL023",
            &with(dev, "fn my_helper() {}"),
            "app/Cargo.toml:4:1 `app` depends on `helper` and never uses it",
        );
    }

    #[test]
    fn use_in_a_test_or_a_macro_is_use() {
        let with = |source: &str| {
            format!("//- app/src/lib.rs uses helper\n{source}\n//- helper/src/lib.rs\n")
        };
        check("SL023", &with("fn f() { m! { a => helper::g() } }"), "");
        check("SL023", &with("//- app/tests/it.rs\nuse helper::g;"), "");
        check(
            "SL023",
            &with("mod helper {} use self::helper as h;"),
            "app/Cargo.toml:6:1 `app` depends on `helper` and never uses it",
        );
    }
}
