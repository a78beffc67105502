//! SL006

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};

/// A `use` of everything.
pub(super) struct GlobImport;

impl Rule for GlobImport {
    fn code(&self) -> &'static str {
        "SL006"
    }

    fn name(&self) -> &'static str {
        "glob-import"
    }

    fn level(&self) -> Level {
        Level::Off
    }

    fn strict_level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A `use` of everything.

With `use x::*` nobody can say where a name comes from without a compiler, and a new name in `x` can
change what an old one means. Tests, preludes, re-exports (`pub use`) and enums inside a function may
be globbed. Only with `strict = true`: two well-kept crates in three glob a parent module or a module
of constants, on purpose.

```bad
mod a { pub struct A; }
use a::*;
```

```good
mod a { pub struct A; pub enum E { X, Y } }
pub use a::*;
use std::io::prelude::*;
fn f(e: a::E) { use a::E::*; match e { X | Y => {} } }
#[cfg(test)]
mod tests { use super::*; }
```

How to fix: name what is used."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (_, module, facts) in cx.modules.files().filter(|(_, it, _)| !it.test) {
            for import in facts
                .uses
                .iter()
                .filter(|it| it.glob && !it.public && !it.path.test)
            {
                let scope = &facts.scopes[import.path.scope];
                let in_body = scope.parent.is_some() && scope.module.is_none();
                let mut names = import.path.segments.iter().map(|it| it.name.as_str());
                let is_prelude = names.clone().any(|it| it.ends_with("prelude"));
                let is_enum = names
                    .next_back()
                    .is_some_and(|it| it.starts_with(char::is_uppercase));
                if is_prelude || (in_body && is_enum) {
                    continue;
                }
                let message = format!(
                    "`use {}::*` hides where names come from",
                    import.path.text()
                );
                let place = Place::new(&module.file, import.path.span());
                out.push(Diagnostic::new("SL006", place, message).help("name what is used"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn test_code_is_known_by_its_module_or_its_target() {
        check(
            "SL006",
            "mod a {}\n#[cfg(all(test, unix))]\nmod t { use super::*; mod deep { use super::*; } }\n//- tests/it.rs\nuse app::*;",
            "",
        );
        check(
            "SL006",
            "#[cfg(test)]\nmod t;\n//- src/t.rs\nuse super::*;",
            "",
        );
        check(
            "SL006",
            "mod a { use super::*; }",
            "src/lib.rs:1:13 `use super::*` hides where names come from",
        );
        check(
            "SL006",
            "fn f() { use std::fmt::*; }",
            "src/lib.rs:1:14 `use std::fmt::*` hides where names come from",
        );
    }
}
