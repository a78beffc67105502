//! SL001

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::paths;

/// `#[path]` on a module.
pub(super) struct PathModule;

impl Rule for PathModule {
    fn code(&self) -> &'static str {
        "SL001"
    }

    fn name(&self) -> &'static str {
        "path-module"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"`#[path]` on a module.

A module lies where its name says. `#[path]` breaks that: a reader and every tool must look
the file up, one file can be compiled into two crates, and two copies of one type result.

Without `strict = true` only a path that leaves its package counts, outside of tests: the published
package does not hold that file. Inside of one, crates choose a platform's implementation so, or give
a file a hidden name.

```bad
#[path = "../shared/model.rs"]
mod model;
//- shared/model.rs
```

```good
mod model;
//- src/model.rs
```

How to fix: move the file to where the module's name says, or make a crate of what two crates share."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (file, facts) in &cx.modules.facts {
            let strict = cx.config.is_strict();
            let attrs = facts.path_attrs.iter();
            for attr in attrs.filter(|it| strict || is_escape(cx, file, &it.value)) {
                let message = format!("this module is taken from `{}`", attr.value);
                let finding = Diagnostic::new("SL001", Place::new(file, attr.span), message)
                    .label("a path of its own")
                    .help("move the file to where the module's name says, or share it as a crate");
                out.push(finding);
            }
        }
    }
}

/// Whether code that is no test takes a file of another package.
fn is_escape(cx: &Context, file: &str, path: &str) -> bool {
    let package = cx.workspace.package_of(file);
    let target = paths::join(paths::parent(file), path);
    let owner = target.and_then(|it| cx.workspace.package_of(&it));
    let mut declared = cx
        .modules
        .files()
        .filter(|(_, it, _)| it.file == file && !it.test);
    owner != package
        && declared.any(|(_, _, facts)| {
            let mut mods = facts.mods.iter();
            mods.any(|it| !it.test && it.paths.iter().any(|it| it == path))
        })
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn it_is_seen_in_each_position() {
        check(
            "SL001",
            "#[cfg_attr(unix, path = \"u.rs\")]\nmod a;\n//- src/u.rs",
            "src/lib.rs:1:25 this module is taken from `u.rs`",
        );
        check(
            "SL001",
            "mod m {\n    #[path = \"x.rs\"]\n    mod a;\n}\n//- src/m/x.rs",
            "src/lib.rs:2:14 this module is taken from `x.rs`",
        );
        check(
            "SL001",
            "m! { $ #[path = \"x.rs\"] mod a; }",
            "src/lib.rs:1:17 this module is taken from `x.rs`",
        );
    }

    #[test]
    fn without_strict_only_a_path_to_another_package_counts() {
        let at = |source: &str, expected: &str| {
            let loose = "//- structure-lint.toml\nstrict = false\n";
            check(
                "SL001",
                &format!("{loose}//- a/src/lib.rs\n{source}\n//- a/src/x.rs\n//- b/src/lib.rs\n"),
                expected,
            );
        };
        at("#[cfg(unix)]\n#[path = \"x.rs\"]\nmod a;", "");
        at("#[cfg(test)]\n#[path = \"../../b/src/lib.rs\"]\nmod a;", "");
        at(
            "#[path = \"../../b/src/lib.rs\"]\nmod a;",
            "a/src/lib.rs:1:10 this module is taken from `../../b/src/lib.rs`",
        );
    }

    #[test]
    fn other_paths_are_not_meant() {
        check(
            "SL001",
            "#[utoipa::path(get, path = \"/x\")]\nfn f() {}\n/// #[path = \"x\"]\nfn g() { \"#[path = 1]\"; }",
            "",
        );
    }
}
