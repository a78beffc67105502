//! SL025

use std::collections::BTreeMap;

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place, Span};
use crate::paths;
use crate::resolve::BUILT_IN;
use crate::workspace::{Package, TargetKind, ident};

/// Two things of a workspace with one name.
pub(super) struct NameClash;

impl Rule for NameClash {
    fn code(&self) -> &'static str {
        "SL025"
    }

    fn name(&self) -> &'static str {
        "name-clash"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"Two things of a workspace with one name.

Two packages with one name cannot be told apart by `-p`, two libraries with one name not in code
(`a-b` and `a_b` are one name there), and of two binaries with one name the second is written over the
first. A library called `std`, `core`, `alloc`, `test` or `proc_macro` hides the one that everybody
means.

```bad
//- one/Cargo.toml
[package]
name = "data-model"
//- one/src/lib.rs
//- two/Cargo.toml
[package]
name = "data_model"
//- two/src/lib.rs
```

```good
//- one/Cargo.toml
[package]
name = "data-model"
//- one/src/lib.rs
//- one/src/main.rs
//- two/Cargo.toml
[package]
name = "data-model-tests"
//- two/src/lib.rs
```

How to fix: rename one of them."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let mut known: BTreeMap<(&str, String), Place> = BTreeMap::new();
        for package in &cx.workspace.packages {
            let place = |span: Span| package.manifest.place(span);
            let named = package.manifest.package.as_ref();
            let at = place(named.map_or(Span::START, |it| it.span));
            for (kind, name) in names(package) {
                let key = (kind, ident(&name));
                if kind == "library" && BUILT_IN.contains(&key.1.as_str()) {
                    let message = format!("the library `{name}` hides the one of the compiler");
                    out.push(clash(at.clone(), message, &name));
                } else if let Some(first) = known.get(&key) {
                    let message = format!("a second {kind} is called `{name}`");
                    let finding = clash(at.clone(), message, &name);
                    out.push(finding.note("the first one", Some(first.clone())));
                } else {
                    known.insert(key, at.clone());
                }
            }
        }
    }
}

fn clash(place: Place, message: String, name: &str) -> Diagnostic {
    Diagnostic::new("SL025", place, message)
        .label("taken already")
        .help("rename one of them")
        .to(name)
}

/// The names that a package takes in its workspace. A library bears its package's name, if no other.
fn names(package: &Package) -> Vec<(&'static str, String)> {
    let mut names = Vec::new();
    let has_library = package.targets.iter().any(|it| it.kind == TargetKind::Lib);
    if has_library {
        names.push(("library", package.lib_name.clone()));
    }
    if !has_library || package.lib_name != package.ident {
        names.push(("package", package.name.clone()));
    }
    let binaries = package
        .targets
        .iter()
        .filter(|it| it.kind == TargetKind::Bin);
    names.extend(binaries.map(|it| ("binary", binary(package, &it.root))));
    names
}

/// A binary's name: its entry's, its file's or folder's, or the package's.
fn binary(package: &Package, root: &str) -> String {
    let mut entries = package
        .manifest
        .targets
        .iter()
        .filter(|it| it.table == "bin");
    let entry = entries.find(|it| {
        let path = it
            .path
            .as_ref()
            .and_then(|it| paths::join(&package.dir, &it.value));
        path.as_deref() == Some(root)
    });
    if let Some(name) = entry.and_then(|it| it.name.clone()) {
        return name;
    }
    let stem = root.trim_end_matches("/main.rs").trim_end_matches(".rs");
    match paths::file_name(stem) {
        "src" => package.name.clone(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    fn two(one: &str, other: &str) -> String {
        format!(
            "//- a/Cargo.toml\n[package]\nname = {one}\n//- a/src/lib.rs\n//- b/Cargo.toml\n[package]\nname = {other}\n//- b/src/lib.rs\n"
        )
    }

    #[test]
    fn libraries_binaries_and_packages_have_names_of_their_own() {
        check(
            "SL025",
            &two("\"x\"", "\"y\"\n[lib]\nname = \"x\""),
            "b/Cargo.toml:2:8 a second library is called `x`",
        );
        check(
            "SL025",
            &two("\"x\"", "\"core\""),
            "b/Cargo.toml:2:8 the library `core` hides the one of the compiler",
        );
        check(
            "SL025",
            &format!(
                "{}//- a/src/bin/run.rs\n//- b/src/bin/run/main.rs\n",
                two("\"x\"", "\"y\"")
            ),
            "b/Cargo.toml:2:8 a second binary is called `run`",
        );
        check(
            "SL025",
            &two("\"x\"", "\"core\"\n[lib]\nname = \"x_core\""),
            "",
        );
        check(
            "SL025",
            &format!("{}//- a/src/main.rs\n", two("\"x\"", "\"y\"")),
            "",
        );
    }
}
