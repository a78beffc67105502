//! SL003

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::modules::Module;

/// An `extern crate` that the edition has no need of.
pub(super) struct ExternCrate;

impl Rule for ExternCrate {
    fn code(&self) -> &'static str {
        "SL003"
    }

    fn name(&self) -> &'static str {
        "extern-crate"
    }

    fn level(&self) -> Level {
        Level::Off
    }

    fn strict_level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"An `extern crate` that the edition has no need of.

Since the edition 2018 a dependency's name is known everywhere. `extern crate` adds a second way to
bring it in, at the crate root, far from where it is used. Off without `strict = true`, as rustc's own
`unused_extern_crates` is: where crates still have it, they have it everywhere. `alloc`, `core`, `std`, `test` and
`proc_macro` still need it; so does `as _` for a crate that is only linked. With
`SL003 = "warn"` alone, `pub extern crate`, another name, `#[macro_use]` and the compiler's own crates
are meant as well.

```bad
//- app/src/lib.rs uses serde
extern crate serde;
```

```good
//- app/src/lib.rs uses serde
extern crate alloc;
extern crate serde as _;
use serde::Serialize;
```

How to fix: remove the line; where its name is used, `use` it."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (_, module, facts) in cx.modules.files() {
            if cx.workspace.packages[module.package].edition < 2018 {
                continue;
            }
            for import in facts
                .uses
                .iter()
                .filter(|it| it.extern_crate && it.alias.is_some())
            {
                let Some(krate) = import.path.segments.first() else {
                    continue;
                };
                let declared = &cx.workspace.packages[module.package].externs;
                let is_meant = import.public
                    || import.macros
                    || import.alias.as_ref() != Some(&krate.name)
                    || !(declared.contains_key(&krate.name) || is_own(cx, module, &krate.name));
                if is_meant && !cx.config.is_strict() || import.path.quoted {
                    continue;
                }
                if !ALLOWED.contains(&krate.name.as_str()) {
                    let message = format!("`extern crate {}` is not needed", krate.name);
                    let finding =
                        Diagnostic::new("SL003", Place::new(&module.file, krate.span), message);
                    out.push(finding.help("remove it; where the name is used, `use` it"));
                }
            }
        }
    }
}

fn is_own(cx: &Context, module: &Module, name: &str) -> bool {
    cx.workspace.packages[module.package].lib_name == name
}

const ALLOWED: [&str; 6] = ["alloc", "core", "std", "test", "proc_macro", "self"];

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn the_edition_2015_needs_it() {
        let manifest = "//- Cargo.toml\n[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n";
        check(
            "SL003",
            &format!("{manifest}//- src/lib.rs\nextern crate serde;"),
            "",
        );
        check(
            "SL003",
            "extern crate serde as s;",
            "src/lib.rs:1:14 `extern crate serde` is not needed",
        );
        check("SL003", "extern crate self as app;", "");
    }

    #[test]
    fn without_strict_what_does_more_than_name_a_crate_is_meant() {
        let at = |source: &str, expected: &str| {
            let loose = "//- structure-lint.toml\nstrict = false\nrules = { SL003 = \"warn\" }\n";
            check(
                "SL003",
                &format!("{loose}//- src/lib.rs uses log\n{source}"),
                expected,
            );
        };
        at("pub extern crate log;", "");
        at("extern crate log as l;", "");
        at("#[macro_use] extern crate log;", "");
        at("extern crate rustc_ast;", "");
        at("fn f() { quote! { extern crate log; } }", "");
        at(
            "extern crate log;",
            "src/lib.rs:1:14 `extern crate log` is not needed",
        );
    }
}
