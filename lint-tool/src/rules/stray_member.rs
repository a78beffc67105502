//! SL021

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::paths;

/// A path dependency that `members` does not name.
pub(super) struct StrayMember;

impl Rule for StrayMember {
    fn code(&self) -> &'static str {
        "SL021"
    }

    fn name(&self) -> &'static str {
        "stray-member"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A path dependency that `members` does not name.

Cargo makes a member of whatever a member reaches by path, so a crate can join the workspace without
being listed. An excluded one is built, but tested and linted by nobody.

```bad
//- Cargo.toml
[workspace]
members = ["app"]
//- app/src/lib.rs uses helper
//- helper/src/lib.rs
```

```good
//- Cargo.toml
[workspace]
members = ["app", "helper"]
//- app/src/lib.rs uses helper
//- helper/src/lib.rs
```

How to fix: list it in `members` of the root manifest."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let lists_members = cx
            .workspace
            .root
            .workspace
            .as_ref()
            .is_some_and(|it| !it.members.is_empty());
        if !lists_members {
            return;
        }
        for package in &cx.workspace.packages {
            for dependency in &package.manifest.dependencies {
                let Some(path) = &dependency.path else {
                    continue;
                };
                let Some(dir) = paths::join(&package.dir, &path.value) else {
                    continue;
                };
                let exists = cx.files.get(&format!("{dir}/Cargo.toml")).is_some();
                if exists && !cx.workspace.is_listed(&dir) {
                    let message = format!("`{dir}` is no member of the workspace");
                    let finding =
                        Diagnostic::new("SL021", package.manifest.place(path.span), message)
                            .label("reached by path only")
                            .help(format!("add \"{dir}\" to `members` in the root manifest"));
                    out.push(finding);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn a_glob_lists_and_no_list_at_all_is_cargos_own_way() {
        check(
            "SL021",
            "//- Cargo.toml\n[workspace]\nmembers = [\"crates/*\"]\n//- crates/a/src/lib.rs uses b\n//- crates/b/src/lib.rs\n",
            "",
        );
        check(
            "SL021",
            "//- Cargo.toml\n[package]\nname = \"root\"\n[workspace]\n[dependencies]\nb = { path = \"b\" }\n//- src/lib.rs\n//- b/src/lib.rs\n",
            "",
        );
    }

    #[test]
    fn an_excluded_crate_is_stray() {
        check(
            "SL021",
            "//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\nexclude = [\"b\"]\n//- a/src/lib.rs uses b\n//- b/src/lib.rs\n",
            "a/Cargo.toml:6:14 `b` is no member of the workspace",
        );
    }
}
