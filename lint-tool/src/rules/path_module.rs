//! SL001

use super::Rule;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::engine::Context;

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
            for attr in &facts.path_attrs {
                let message = format!("this module is taken from `{}`", attr.value);
                let finding = Diagnostic::new("SL001", Place::new(file, attr.span), message)
                    .label("a path of its own")
                    .help("move the file to where the module's name says, or share it as a crate");
                out.push(finding);
            }
        }
    }
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
    fn other_paths_are_not_meant() {
        check(
            "SL001",
            "#[utoipa::path(get, path = \"/x\")]\nfn f() {}\n/// #[path = \"x\"]\nfn g() { \"#[path = 1]\"; }",
            "",
        );
    }
}
