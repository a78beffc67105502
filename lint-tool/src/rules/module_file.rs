//! SL901

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// A `mod` without a file, or with two.
pub(super) struct ModuleFile;

impl Rule for ModuleFile {
    fn code(&self) -> &'static str {
        "SL901"
    }

    fn name(&self) -> &'static str {
        "module-file"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A `mod` without a file, or with two.

`mod name;` needs `name.rs` or `name/mod.rs`, and only one of them. Under `#[cfg]` the file may be
missing: a build may not need it.

```bad
mod nowhere;
```

```good
mod here;
#[cfg(windows)]
mod elsewhere;
//- src/here.rs
```

How to fix: create the file, delete the second one, or remove the declaration."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        out.extend(cx.modules.problems.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn two_files_are_one_too_many() {
        check(
            "SL901",
            "mod a;\n//- src/a.rs\n//- src/a/mod.rs\n",
            "src/lib.rs:1:5 module `a` has two files: `src/a.rs` and `src/a/mod.rs`",
        );
    }
}
