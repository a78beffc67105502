//! SL050

use super::Rule;
use std::collections::BTreeSet;

use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place, Span};

/// A file with too many lines.
pub(super) struct LongFile;

impl Rule for LongFile {
    fn code(&self) -> &'static str {
        "SL050"
    }

    fn name(&self) -> &'static str {
        "long-file"
    }

    fn level(&self) -> Level {
        Level::Off
    }

    fn explain(&self) -> &'static str {
        r#"A file with too many lines.

A file that nobody reads whole holds several things. Off by default; `SL050 = { level = "warn", max =
500 }` turns it on. Files of tests are not meant.

```bad
//- structure-lint.toml
[rules]
SL050 = { level = "warn", max = 2 }
//- src/lib.rs
fn a() {}
fn b() {}
fn c() {}
```

```good
//- structure-lint.toml
[rules]
SL050 = { level = "warn", max = 2 }
//- src/lib.rs
fn a() {}
fn b() {}
```

How to fix: move one of its things to a file of its own."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let max = cx.config.rule("SL050").max.unwrap_or(500);
        let tests: BTreeSet<&str> = cx
            .modules
            .all
            .iter()
            .filter(|it| it.test)
            .map(|it| it.file.as_str())
            .collect();
        let whole = cx
            .modules
            .files()
            .filter(|(_, it, _)| it.test)
            .map(|(_, it, _)| it.file.as_str());
        let test_files: BTreeSet<&str> = whole.filter(|it| tests.contains(it)).collect();
        for (file, facts) in cx
            .modules
            .facts
            .iter()
            .filter(|(file, _)| !test_files.contains(file.as_str()))
        {
            if facts.lines > max {
                let place = Place::new(
                    file,
                    Span {
                        line: max + 1,
                        column: 1,
                        width: 1,
                    },
                );
                let message = format!("{} lines, the limit is {max}", facts.lines);
                out.push(
                    Diagnostic::new("SL050", place, message)
                        .help("move one of its things to a file of its own"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn files_of_tests_may_be_long() {
        let config = "//- structure-lint.toml\n[rules]\nSL050 = { level = \"warn\", max = 2 }\n";
        check(
            "SL050",
            &format!("{config}//- src/lib.rs\n//- tests/it.rs\n\n\n\n"),
            "",
        );
        check(
            "SL050",
            &format!("{config}//- src/lib.rs\n#[cfg(test)] mod t;\n//- src/t.rs\n\n\n\n"),
            "",
        );
    }
}
