//! SL051

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};

/// A function with too many lines.
pub(super) struct LongFunction;

impl Rule for LongFunction {
    fn code(&self) -> &'static str {
        "SL051"
    }

    fn name(&self) -> &'static str {
        "long-function"
    }

    fn level(&self) -> Level {
        Level::Off
    }

    fn explain(&self) -> &'static str {
        r#"A function with too many lines.

A function longer than a screen is read in pieces. Off by default; `SL051 = { level = "warn", max =
60 }` turns it on. Tests are not meant.

```bad
//- structure-lint.toml
[rules]
SL051 = { level = "warn", max = 2 }
//- src/lib.rs
fn a() {
    b();
}
```

```good
//- structure-lint.toml
[rules]
SL051 = { level = "warn", max = 3 }
//- src/lib.rs
fn a() {
    b();
}
```

How to fix: give the step that has a name a function of its own."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let max = cx.config.rule("SL051").max.unwrap_or(60);
        for (_, module, facts) in cx.modules.files().filter(|(_, it, _)| !it.test) {
            for function in facts
                .functions
                .iter()
                .filter(|it| !it.test && it.lines > max)
            {
                let message = format!(
                    "`{}` has {} lines, the limit is {max}",
                    function.name, function.lines
                );
                let finding =
                    Diagnostic::new("SL051", Place::new(&module.file, function.span), message);
                out.push(finding.help("give the step that has a name a function of its own"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn methods_count_and_tests_do_not() {
        let config = "//- structure-lint.toml\n[rules]\nSL051 = { level = \"warn\", max = 1 }\n//- src/lib.rs\n";
        check(
            "SL051",
            &format!("{config}impl X {{ fn f() {{\n}} }}"),
            "src/lib.rs:1:13 `f` has 2 lines, the limit is 1",
        );
        check("SL051", &format!("{config}#[test]\nfn f() {{\n}}"), "");
    }
}
