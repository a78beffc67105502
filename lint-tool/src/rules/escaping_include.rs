//! SL008

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::facts::Include;
use crate::paths;

/// A file of another crate, taken in by a literal path.
pub(super) struct EscapingInclude;

impl Rule for EscapingInclude {
    fn code(&self) -> &'static str {
        "SL008"
    }

    fn name(&self) -> &'static str {
        "escaping-include"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"A file of another crate, taken in by a literal path.

`include_str!("../../other/data.json")` uses another crate without an entry in the manifest: nobody
who changes the file knows, and the published package does not hold it, so it does not build. A path
after `concat!(env!("CARGO_MANIFEST_DIR"), …)` is one too, and so are those of `migrate!`,
`embed_migrations!` and `query_file!`. Test code is left out: it is built where the whole workspace is.
Without `strict = true` a file that belongs to no crate is left alone, such as `README.md` or a folder of
migrations at the root: it is there for all of them.

```bad
//- app/src/lib.rs
const DATA: &str = include_str!("../../other/data.json");
//- other/src/lib.rs
```

```good
//- app/src/lib.rs
const DATA: &str = include_str!("../data.json");
const MORE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/more.bin"));
fn migrations() { sqlx::migrate!("migrations/new") }
#[cfg(test)]
const SHARED: &str = include_str!("../../fixtures/data.json");
```

How to fix: move the file into the crate, or let its owner offer it as a constant."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (_, module, facts) in cx.modules.files().filter(|(_, it, _)| !it.test) {
            let dir = &cx.workspace.packages[module.package].dir;
            for include in facts.includes.iter().filter(|it| !it.test && !it.source) {
                let Some(path) = include.file.as_ref().filter(|_| !include.out_dir) else {
                    continue;
                };
                let target = target(include, path, dir, &module.file);
                let owner = target.as_ref().and_then(|it| cx.workspace.package_of(it));
                let is_shared = target.as_ref().is_some_and(|it| belongs_to_all(cx, it));
                if owner != Some(module.package) && (cx.config.is_strict() || !is_shared) {
                    let place = Place::new(&module.file, include.span);
                    let message = format!("`{path}` is not in this crate");
                    let finding = Diagnostic::new("SL008", place, message)
                        .label("taken in by its path, not as a dependency")
                        .help("move it into the crate, or let its owner offer it as a constant")
                        .to(target.as_ref().unwrap_or(path));
                    out.push(finding);
                }
            }
        }
    }
}

/// Whether the file lies beside all crates, and is not a source of the root package.
fn belongs_to_all(cx: &Context, file: &str) -> bool {
    let owner = cx.workspace.package_of(file);
    let dir = owner.map(|it| cx.workspace.packages[it].dir.as_str());
    dir.unwrap_or_default().is_empty() && !paths::is_within(file, "src")
}

/// The file from the root; `None` when it leaves the workspace.
fn target(include: &Include, path: &str, package: &str, file: &str) -> Option<String> {
    let dir = if include.from_manifest {
        package
    } else {
        paths::parent(file)
    };
    paths::join(dir, path)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn it_is_seen_wherever_a_path_is_written_out() {
        let at = |source: &str, expected: &str| {
            check(
                "SL008",
                &format!("//- a/src/lib.rs\n{source}\n//- b/src/lib.rs\n"),
                expected,
            );
        };
        at(
            "#![doc = include_str!(\"../../README.md\")]",
            "a/src/lib.rs:1:10 `../../README.md` is not in this crate",
        );
        at(
            "fn f() { g(include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../b\", \"/x\"))) }",
            "a/src/lib.rs:1:12 `../b/x` is not in this crate",
        );
        at(
            "const A: &str = include_str!(\"/etc/passwd\");",
            "a/src/lib.rs:1:17 `/etc/passwd` is not in this crate",
        );
        at("const A: &str = include_str!(\"../src/../../a/x\");", "");
        at(
            "const A: &str = include_str!(concat!(env!(\"OUT_DIR\"), \"/x\"));",
            "",
        );
        at(
            "//- a/tests/it.rs\nconst A: &str = include_str!(\"../../x\");",
            "",
        );
    }

    #[test]
    fn without_strict_a_file_of_no_crate_is_for_all() {
        let at = |path: &str, expected: &str| {
            let fixture = format!(
                "//- structure-lint.toml\nstrict = false\n//- a/src/lib.rs\n\
                 const A: &str = include_str!(\"{path}\");\n//- b/src/lib.rs\n"
            );
            check("SL008", &fixture, expected);
        };
        at("../../README.md", "");
        at("../../assets/logo.svg", "");
        at(
            "../../b/data.json",
            "a/src/lib.rs:1:17 `../../b/data.json` is not in this crate",
        );
        at(
            "../../../other/data.json",
            "a/src/lib.rs:1:17 `../../../other/data.json` is not in this crate",
        );
    }

    #[test]
    fn macros_that_read_paths_from_the_package_count() {
        let at = |source: &str, expected: &str| {
            let fixture = format!("//- a/src/deep.rs\n//- a/src/lib.rs\nfn f() {{ {source} }}\n");
            check("SL008", &fixture, expected);
        };
        at(
            "sqlx::migrate!(\"../migrations\")",
            "a/src/lib.rs:1:16 `../migrations` is not in this crate",
        );
        at(
            "embed_migrations!(\"../migrations\")",
            "a/src/lib.rs:1:10 `../migrations` is not in this crate",
        );
        at(
            "sqlx::query_file!(\"../queries/a.sql\", id)",
            "a/src/lib.rs:1:16 `../queries/a.sql` is not in this crate",
        );
        at(
            "query_file_as!(Row, \"/queries/a.sql\", id)",
            "a/src/lib.rs:1:10 `/queries/a.sql` is not in this crate",
        );
        at(
            "sqlx::migrate!(); sqlx::migrate!(\"./migrations\"); migrate!(a, \"../b\")",
            "",
        );
        at("query_file_scalar!(\"queries/a.sql\", \"../x\")", "");
        at("macro_rules! migrate { () => {} } migrate!(\"../b\")", "");
        at(
            "fn migrate() {} sqlx::migrate!(\"../b\")",
            "a/src/lib.rs:1:32 `../b` is not in this crate",
        );
    }

    #[test]
    fn a_root_package_does_not_hold_its_members_files() {
        check(
            "SL008",
            "//- Cargo.toml\n[package]\nname = \"root\"\n[workspace]\nmembers = [\"a\"]\n//- src/lib.rs\n\
             const A: &str = include_str!(\"../a/x\");\nconst B: &str = include_str!(\"../x\");\n//- a/src/lib.rs\n",
            "src/lib.rs:1:17 `../a/x` is not in this crate",
        );
    }
}
