//! SL007

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};

/// A crate under another name.
pub(super) struct AliasOfRoot;

impl Rule for AliasOfRoot {
    fn code(&self) -> &'static str {
        "SL007"
    }

    fn name(&self) -> &'static str {
        "alias-of-root"
    }

    fn level(&self) -> Level {
        Level::Off
    }

    fn strict_level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"A crate under another name.

`use billing as core_types` makes each following path lie about where it leads: a reader, and a search
for the crate's name, do not see the dependency. A rename in `Cargo.toml` is said once and stays
allowed. Only with `strict = true`: a facade's `pub use my_core as core`, and a short name for a long
one, are what their authors mean.

```bad
//- app/src/lib.rs uses billing
use billing as core_types;
//- billing/src/lib.rs
```

```good
//- app/src/lib.rs uses billing
use billing::invoice as bill;
use std::fmt as f;
//- billing/src/lib.rs
pub mod invoice {}
```

How to fix: use the crate's name."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (_, module, facts) in cx.modules.files() {
            let externs = &cx.workspace.packages[module.package].externs;
            for import in facts.uses.iter().filter(|it| !it.glob) {
                let ([root], Some(alias)) = (import.path.segments.as_slice(), &import.alias) else {
                    continue;
                };
                let is_root =
                    root.name == "crate" || root.name == "std" || externs.contains_key(&root.name);
                if is_root && *alias != root.name {
                    let message = format!(
                        "the crate `{}` goes by the name of `{alias}` here",
                        root.name
                    );
                    let finding =
                        Diagnostic::new("SL007", Place::new(&module.file, root.span), message);
                    out.push(finding.help(format!("use `{}` by its name", root.name)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn every_way_to_rename_a_root_is_seen() {
        check(
            "SL007",
            "use crate as me;\nuse {std as s};\nuse std as _;",
            "src/lib.rs:1:5 the crate `crate` goes by the name of `me` here\nsrc/lib.rs:2:6 the crate `std` goes by the name of `s` here",
        );
    }
}
