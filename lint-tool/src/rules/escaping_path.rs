//! SL020

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::manifest::{Manifest, Text};
use crate::paths;

/// A path in a manifest that leaves the workspace.
pub(super) struct EscapingPath;

impl Rule for EscapingPath {
    fn code(&self) -> &'static str {
        "SL020"
    }

    fn name(&self) -> &'static str {
        "escaping-path"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A path in a manifest that leaves the workspace.

What a build takes from outside of the workspace is in no commit: the next checkout, the CI and the
image do not have it, or have another version of it. Symbolic links are followed.

```bad
//- app/Cargo.toml
[package]
name = "app"
[dependencies]
helper = { path = "../../helper" }
//- app/src/lib.rs
```

```good
//- app/Cargo.toml
[package]
name = "app"
[dependencies]
helper = { path = "../helper" }
//- app/src/lib.rs
//- helper/src/lib.rs
```

How to fix: move the crate into the workspace, or depend on a published version."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let members = cx.workspace.packages.iter().map(|it| &it.manifest);
        let root = Some(&cx.workspace.root).filter(|it| it.package.is_none());
        for manifest in members.chain(root) {
            for path in named_paths(manifest) {
                let target =
                    paths::join(manifest.dir(), &path.value).and_then(|it| cx.files.follow(&it));
                if target.is_none() {
                    let message = format!("`{}` leads out of the workspace", path.value);
                    let finding = Diagnostic::new("SL020", manifest.place(path.span), message)
                        .label("in no commit of this workspace")
                        .help("move it into the workspace, or depend on a published version")
                        .to(&path.value);
                    out.push(finding);
                }
            }
        }
    }
}

fn named_paths(manifest: &Manifest) -> impl Iterator<Item = &Text> {
    let dependencies = manifest
        .dependencies
        .iter()
        .filter_map(|it| it.path.as_ref());
    let targets = manifest.targets.iter().filter_map(|it| it.path.as_ref());
    let members = manifest.workspace.iter().flat_map(|it| &it.members);
    dependencies
        .chain(targets)
        .chain(members)
        .chain(&manifest.build)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn each_table_that_takes_a_path_is_read() {
        let manifest = |text: &str| {
            format!("//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\n{text}\n//- a/src/lib.rs\n")
        };
        check(
            "SL020",
            &manifest("[workspace.dependencies]\nx = { path = \"../x\" }"),
            "Cargo.toml:4:14 `../x` leads out of the workspace",
        );
        check(
            "SL020",
            &manifest("[patch.crates-io]\nx = { path = \"/x\" }"),
            "Cargo.toml:4:14 `/x` leads out of the workspace",
        );
        check(
            "SL020",
            "//- Cargo.toml\n[package]\nname = \"a\"\n[[bin]]\nname = \"b\"\npath = \"../b.rs\"\n//- src/lib.rs\n",
            "Cargo.toml:5:8 `../b.rs` leads out of the workspace",
        );
    }
}
