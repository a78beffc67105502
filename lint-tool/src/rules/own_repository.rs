//! SL022

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::manifest::{Dependency, DependencyKind, Manifest};

/// A member of the workspace that is taken from a registry or from git.
pub(super) struct OwnRepository;

impl Rule for OwnRepository {
    fn code(&self) -> &'static str {
        "SL022"
    }

    fn name(&self) -> &'static str {
        "own-repository"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A member of the workspace that is taken from a registry or from git.

A member that another one takes from elsewhere is built twice: in the version of this checkout, and in
one of the past. Types of the two do not fit, and a change needs a release before its users can see
it. Three uses are meant, and silent: a package that depends on an earlier release of itself, an entry
that renames (`package = …`) what it compares with, and one that `[patch]` leads back to the path.
Without `strict = true` so is one whose comment gives a reason, or of which the package's `README.md`
says that it is the published one.

```bad
//- Cargo.toml
[workspace]
members = ["app", "helper"]
//- app/Cargo.toml
[package]
name = "app"
[dependencies]
helper = "1"
//- app/src/lib.rs
//- helper/src/lib.rs
```

```good
//- Cargo.toml
[workspace]
members = ["app", "helper"]
//- app/Cargo.toml
[package]
name = "app"
[dependencies]
helper = { path = "../helper", version = "1" }
[dev-dependencies]
helper_old = { package = "helper", version = "0.9" }
//- app/src/lib.rs
//- helper/src/lib.rs
```

How to fix: write its `path`, or inherit an entry of `[workspace.dependencies]` that does."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let members = cx.workspace.packages.iter().map(|it| &it.manifest);
        let root = Some(&cx.workspace.root).filter(|it| it.package.is_none());
        for manifest in members.chain(root) {
            let stated = manifest.dependencies.iter().filter(|it| {
                it.kind != DependencyKind::Patch && !it.inherited && it.path.is_none()
            });
            for dependency in stated {
                if !cx.config.is_strict() && is_explained(cx, manifest, dependency) {
                    continue;
                }
                if let Some(source) = source(cx, manifest, dependency) {
                    out.push(finding(manifest, dependency, source));
                }
            }
        }
    }
}

/// Where the entry gets a member from, if it should not.
fn source(cx: &Context, manifest: &Manifest, dependency: &Dependency) -> Option<&'static str> {
    if let Some(git) = &dependency.git
        && own_addresses(cx).any(|it| plain(it) == plain(&git.value))
    {
        return Some("this very repository, by git");
    }
    let name = dependency.package();
    let is_member = cx.workspace.packages.iter().any(|it| it.name == name);
    let is_self = manifest.package.as_ref().is_some_and(|it| it.value == name);
    let mut patches = cx.workspace.root.dependencies.iter();
    let is_patched = patches
        .any(|it| it.kind == DependencyKind::Patch && it.path.is_some() && it.package() == name);
    if !is_member || is_self || is_patched || dependency.package.is_some() {
        return None;
    }
    Some(if dependency.git.is_some() {
        "git"
    } else {
        "a registry"
    })
}

/// Whether a comment or the package's README says why the entry is as it is.
fn is_explained(cx: &Context, manifest: &Manifest, dependency: &Dependency) -> bool {
    const WORDS: [&str; 6] = [
        "crates.io",
        "publish",
        "release",
        "registry",
        "git ",
        "version",
    ];
    let name = dependency.package();
    let dir = manifest.dir();
    let separator = if dir.is_empty() { "" } else { "/" };
    let readme = cx.files.get(&format!("{dir}{separator}README.md"));
    let mut lines = readme.unwrap_or_default().lines();
    let speaks = |line: &str| {
        let line = line.to_lowercase();
        line.contains(name) && WORDS.iter().any(|it| line.contains(it))
    };
    // The README of the root is about the product: it names each package and its version.
    dependency.explained || !dir.is_empty() && lines.any(speaks)
}

fn own_addresses<'a>(cx: &'a Context) -> impl Iterator<Item = &'a str> {
    let members = cx.workspace.packages.iter().map(|it| &it.manifest);
    let all = members.chain([&cx.workspace.root]);
    all.filter_map(|it| it.repository.as_deref())
}

/// An address without what two spellings of it differ in.
fn plain(address: &str) -> String {
    let address = address
        .to_ascii_lowercase()
        .replace("ssh://", "")
        .replace("git@", "");
    let address = address
        .split_once("://")
        .map_or(address.as_str(), |(_, it)| it);
    let repository = address.split("/files/").next().unwrap_or(address);
    let repository = repository.trim_end_matches('/').trim_end_matches(".git");
    repository.replacen(':', "/", 1)
}

fn finding(manifest: &Manifest, dependency: &Dependency, source: &str) -> Diagnostic {
    let name = dependency.package();
    let message = format!("`{name}` is taken from {source}");
    Diagnostic::new("SL022", manifest.place(dependency.key.span), message)
        .label("the workspace has it")
        .help("write its `path`, or inherit an entry of `[workspace.dependencies]` that does")
        .to(name)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    fn workspace(root: &str, own: &str) -> String {
        format!(
            "//- Cargo.toml\n[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.package]\nrepository = \"https://github.com/me/it\"\n{root}\n\
             //- a/Cargo.toml\n[package]\nname = \"a\"\n[dependencies]\n{own}\n//- a/src/lib.rs\n//- b/src/lib.rs\n"
        )
    }

    #[test]
    fn each_spelling_of_the_own_repository_is_known() {
        check(
            "SL022",
            &workspace("", "b = { git = \"ssh://git@github.com/Me/it.git\" }"),
            "a/Cargo.toml:4:1 `b` is taken from this very repository, by git",
        );
        check(
            "SL022",
            &workspace("", "other = { git = \"git@github.com:me/it\" }"),
            "a/Cargo.toml:4:1 `other` is taken from this very repository, by git",
        );
        check(
            "SL022",
            &workspace("", "other = { git = \"https://github.com/me/item\" }"),
            "",
        );
    }

    #[test]
    fn without_strict_a_reason_is_a_reason() {
        let loose = |own: &str, readme: &str, expected: &str| {
            let config = "//- structure-lint.toml\nstrict = false\n";
            let files = workspace("", own);
            check(
                "SL022",
                &format!("{config}{files}//- a/README.md\n{readme}\n"),
                expected,
            );
        };
        let found = "a/Cargo.toml:4:1 `b` is taken from a registry";
        loose("b = \"1\"", "", found);
        loose("b = \"1\" # what our users have", "", "");
        loose("b = \"1\"", "It runs against the released `b`.", "");
        loose("b = \"1\"", "It needs `b`.", found);
    }

    #[test]
    fn a_shared_entry_is_said_once_and_a_patch_leads_back() {
        let shared = "[workspace.dependencies]\nb = \"1\"";
        check(
            "SL022",
            &workspace(shared, "b.workspace = true"),
            "Cargo.toml:6:1 `b` is taken from a registry",
        );
        let patch = "[patch.crates-io]\nb = { path = \"b\" }";
        check("SL022", &workspace(patch, "b = \"1\""), "");
        check("SL022", &workspace("", "a = \"0.9\""), "");
    }
}
