//! SL004

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place};

/// `self::super::`, which is `super::`.
pub(super) struct SelfSuper;

impl Rule for SelfSuper {
    fn code(&self) -> &'static str {
        "SL004"
    }

    fn name(&self) -> &'static str {
        "self-super"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"`self::super::`, which is `super::`.

`self::super::x` and `super::x` are one path. The first one looks as if it said more.

```bad
mod a;
//- src/a.rs
use self::super::x;
```

```good
mod a;
//- src/a.rs
use super::x;
```

How to fix: leave `self::` out."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (file, facts) in &cx.modules.facts {
            for path in facts.uses.iter().map(|it| &it.path).chain(&facts.paths) {
                if let [first, second, ..] = path.segments.as_slice()
                    && first.name == "self"
                    && second.name == "super"
                {
                    let message = format!(
                        "`{}` is `{}`",
                        path.text(),
                        path.text().replacen("self::", "", 1)
                    );
                    let finding = Diagnostic::new("SL004", Place::new(file, first.span), message);
                    out.push(finding.help("leave `self::` out"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn it_is_seen_in_expressions_too() {
        check(
            "SL004",
            "mod a { fn f() { self::super::g() } }",
            "src/lib.rs:1:18 `self::super::g` is `super::g`",
        );
        check("SL004", "mod a { use self::b::c; }", "");
    }
}
