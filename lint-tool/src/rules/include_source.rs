//! SL002

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::facts::{Include, is_generated, is_value};
use crate::paths;
use crate::workspace::TargetKind;

/// `include!` of a source file.
pub(super) struct IncludeSource;

impl Rule for IncludeSource {
    fn code(&self) -> &'static str {
        "SL002"
    }

    fn name(&self) -> &'static str {
        "include-source"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"`include!` of a source file.

`include!` pastes a file into another: the code has no module of its own, its errors point
elsewhere, and two crates can hold the same source. What a build script wrote to `OUT_DIR` may be
included, and `include_str!` and `include_bytes!` are data. Without `strict = true` a build script, which
is one file by custom, may paste, and so may tests and a path that an environment variable leads to; and
a file may be pasted that no `mod` could load: a value such as a table of numbers, one that is not called
`.rs`, and what a tool wrote, as its first lines say.

```bad
include!("shared.rs");
//- src/shared.rs
```

```good
include!(concat!(env!("OUT_DIR"), "/generated.rs"));
const PAGE: &str = include_str!("page.html");
```

How to fix: declare the file as a module, or make a crate of what two crates share."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (file, facts) in &cx.modules.facts {
            let all = cx.config.is_strict();
            let sources = facts.includes.iter().filter(|it| it.source && !it.out_dir);
            for include in sources.filter(|it| all || is_pasted_module(cx, file, it)) {
                let what = include
                    .file
                    .as_deref()
                    .map_or("a file".to_owned(), |it| format!("`{it}`"));
                let finding = Diagnostic::new(
                    "SL002",
                    Place::new(file, include.span),
                    format!("{what} is pasted in as source"),
                )
                .label("not a module")
                .help("declare it with `mod`, or make a crate of it");
                out.push(finding);
            }
        }
    }
}

/// Whether the file could be a module, and nothing says that it is pasted on purpose.
fn is_pasted_module(cx: &Context, file: &str, include: &Include) -> bool {
    let Some(path) = &include.file else {
        return false;
    };
    if include.test || is_meant_to_paste(cx, file) || !path.ends_with(".rs") {
        return false;
    }
    let dir = match cx.workspace.package_of(file) {
        Some(package) if include.from_manifest => &cx.workspace.packages[package].dir,
        _ => paths::parent(file),
    };
    let target = paths::join(dir, path).and_then(|it| cx.files.get(&it));
    !target.is_some_and(|it| is_generated(it) || is_value(it))
}

/// Whether the file is part of build scripts and tests alone.
fn is_meant_to_paste(cx: &Context, file: &str) -> bool {
    let mut loaded = cx.modules.files().filter(|(_, it, _)| it.file == file);
    loaded.all(|(_, it, _)| it.test || it.target == TargetKind::Build)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn without_strict_what_no_module_could_be_may_be_pasted() {
        let loose = "//- structure-lint.toml\nstrict = false\n//- src/lib.rs\n";
        let at = |source: &str, pasted: &str, expected: &str| {
            let fixture = format!("{loose}{source}\n//- src/a.rs\n{pasted}\n");
            check("SL002", &fixture, expected);
        };
        let items = "pub fn f() {}";
        let found = "src/lib.rs:1:1 `a.rs` is pasted in as source";
        at("include!(\"a.rs\");", items, found);
        at("include!(\"a.rs\");", "// @generated\npub fn f() {}", "");
        at("const A: [u8; 2] = include!(\"a.rs\");", "[1, 2]", "");
        at("include!(\"a.in\");", items, "");
        at("#[cfg(test)] mod tests { include!(\"a.rs\"); }", items, "");
        at("//- tests/it.rs\ninclude!(\"../src/a.rs\");", items, "");
    }

    #[test]
    fn without_strict_a_build_script_may_paste() {
        let loose = "//- structure-lint.toml\nstrict = false\n//- build.rs\ninclude!(\"a.rs\");\n//- src/lib.rs\n";
        check(
            "SL002",
            &format!("{loose}include!(concat!(env!(\"X\"), \"/a.rs\"));"),
            "",
        );
        check(
            "SL002",
            &format!("{loose}include!(\"a.rs\");"),
            "src/lib.rs:1:1 `a.rs` is pasted in as source",
        );
    }

    #[test]
    fn it_is_seen_in_each_position() {
        check(
            "SL002",
            "fn f() { std::include!(\"a.rs\") }",
            "src/lib.rs:1:15 `a.rs` is pasted in as source",
        );
        check(
            "SL002",
            "const X: u8 = include!(\"a.rs\");",
            "src/lib.rs:1:15 `a.rs` is pasted in as source",
        );
        check(
            "SL002",
            "m! { a => include!(\"a.rs\") }",
            "src/lib.rs:1:11 `a.rs` is pasted in as source",
        );
        check(
            "SL002",
            "vec![include!(\"a.rs\")];",
            "src/lib.rs:1:6 `a.rs` is pasted in as source",
        );
    }
}
