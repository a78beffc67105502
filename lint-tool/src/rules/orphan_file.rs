//! SL009

use std::collections::BTreeSet;

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place, Span};
use crate::facts::is_generated;
use crate::paths;

/// A source file that no crate loads.
pub(super) struct OrphanFile;

impl Rule for OrphanFile {
    fn code(&self) -> &'static str {
        "SL009"
    }

    fn name(&self) -> &'static str {
        "orphan-file"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"A source file that no crate loads.

A file under `src/` that no `mod` declares is never compiled: nobody notices when it stops to
compile, its tests do not run, and searches find code that is not there. Generated files are left alone:
their generator also writes what nobody uses.

```bad
pub fn f() {}
//- src/forgotten.rs
pub fn g() {}
```

```good
mod remembered;
//- src/remembered.rs
pub fn g() {}
```

How to fix: declare it with `mod`, or delete it."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let included: Vec<String> = cx
            .modules
            .facts
            .iter()
            .flat_map(|(file, facts)| facts.includes.iter().map(move |it| (file, it)))
            .filter(|(_, it)| !it.from_manifest)
            .filter_map(|(file, it)| paths::join(paths::parent(file), it.file.as_ref()?))
            .collect();
        let by_macro = macro_modules(cx);
        let by_path: BTreeSet<String> = path_modules(cx).collect();
        for package in &cx.workspace.packages {
            let source = paths::join(&package.dir, "src").unwrap_or_default();
            // A file that could not be parsed may be the one that declares it.
            let is_unsure = cx
                .modules
                .facts
                .iter()
                .any(|(file, it)| it.error.is_some() && paths::is_within(file, &source));
            let files = cx
                .files
                .paths()
                .filter(|it| it.ends_with(".rs") && paths::is_within(it, &source));
            for file in files.filter(|_| !is_unsure) {
                // What a link leads to belongs where it lies.
                let is_link = cx.files.follow(file).as_deref() != Some(file);
                let is_loaded = is_link
                    || cx.modules.facts.contains_key(file)
                    || included.iter().any(|it| it == file)
                    || by_path.contains(file)
                    || is_second_file(cx, file)
                    || file
                        .trim_end_matches(".rs")
                        .split('/')
                        .any(|it| by_macro.contains(it))
                    || is_named(cx, &package.dir, file)
                    || cx.files.get(file).is_some_and(is_generated);
                if !is_loaded {
                    let finding = Diagnostic::new(
                        "SL009",
                        Place::new(file, Span::START),
                        "no crate loads this file",
                    );
                    out.push(
                        finding
                            .label("never compiled")
                            .help("declare it with `mod`, or delete it"),
                    );
                }
            }
        }
    }
}

/// Files that `#[path]` names, also in the body of a macro.
fn path_modules<'a>(cx: &'a Context) -> impl Iterator<Item = String> + 'a {
    let attributes = cx.modules.facts.iter();
    let named = attributes.flat_map(|(file, it)| it.path_attrs.iter().map(move |it| (file, it)));
    named.filter_map(|(file, it)| paths::join(paths::parent(file), &it.value))
}

/// Whether a string of the package is the path of the file, as in `include!` in a documentation test: from
/// the file that says so, from the package, or from its sources.
fn is_named(cx: &Context, package: &str, file: &str) -> bool {
    let name = format!("{}\"", paths::file_name(file));
    let source = paths::join(package, "src").unwrap_or_default();
    let mut texts = cx
        .files
        .paths()
        .filter(|it| it.ends_with(".rs") && *it != file && paths::is_within(it, package));
    texts.any(|it| {
        let text = cx.files.get(it).unwrap_or_default();
        let mut ends = text.match_indices(&name).map(|(at, it)| at + it.len() - 1);
        ends.any(|end| {
            let start = text[..end].rfind('"').map_or(0, |it| it + 1);
            let folders = [paths::parent(it), package, &source];
            let path = text[start..end].trim_start_matches('/');
            // A documentation test is built in a folder that only rustdoc knows.
            let within = path.trim_start_matches("../");
            let is_pasted =
                text[..start].ends_with("include!(\"") && file.ends_with(&format!("/{within}"));
            is_pasted
                || folders
                    .iter()
                    .any(|dir| paths::join(dir, path).as_deref() == Some(file))
        })
    })
}

/// `a/mod.rs` beside a loaded `a.rs`, of which SL901 speaks.
fn is_second_file(cx: &Context, file: &str) -> bool {
    let first = file.strip_suffix("/mod.rs").map(|it| format!("{it}.rs"));
    first.is_some_and(|it| cx.modules.facts.contains_key(&it))
}

/// Modules that macros declare, wherever they are used: their files are taken as loaded.
fn macro_modules<'a>(cx: &'a Context) -> BTreeSet<&'a str> {
    let facts = cx.modules.facts.values();
    facts
        .flat_map(|it| it.macro_mods.iter().map(String::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn a_documentation_test_may_include_a_file_and_a_generator_write_one() {
        check(
            "SL009",
            "/// ```\n/// # include!(\"../setup.rs\");\n/// ```\npub fn f() {}\n//- src/setup.rs\n",
            "",
        );
        check(
            "SL009",
            "//- src/gen.rs\n// DO NOT EDIT\n//- src/lib.rs\n",
            "",
        );
    }

    #[test]
    fn a_name_in_quotes_is_no_path_to_the_file() {
        let at = |text: &str, expected: &str| {
            let fixture = format!("const A: &str = \"{text}\";\n//- src/a/gone.rs\n");
            check("SL009", &fixture, expected);
        };
        let found = "src/a/gone.rs:1:1 no crate loads this file";
        at("gone.rs", found);
        at("b/gone.rs", found);
        at("a/gone.rs", "");
        at("src/a/gone.rs", "");
    }

    #[test]
    fn what_is_loaded_in_any_way_is_no_orphan() {
        check(
            "SL009",
            "macro_rules! root { () => { pub mod de; } }\n//- src/de/mod.rs\n//- src/de/x.rs\n",
            "",
        );
        check(
            "SL009",
            "cfg_x! { mod a; }\n#[path = \"odd.rs\"] mod b;\nconst T: &str = include_str!(\"c.rs\");\n//- src/a.rs\n//- src/odd.rs\n//- src/c.rs\n//- src/bin/d.rs\nfn main() {}\n//- src/bin/e/main.rs\nmod f;\n//- src/bin/e/f.rs\n//- src/main.rs\n",
            "",
        );
        check(
            "SL009",
            "mod a;\n//- src/a.rs\n//- src/a/b.rs\n",
            "src/a/b.rs:1:1 no crate loads this file",
        );
    }
}
