//! SL903

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// An ignore that gives no reason, names no rule, or has ended.
pub(super) struct IgnoreWithoutReason;

impl Rule for IgnoreWithoutReason {
    fn code(&self) -> &'static str {
        "SL903"
    }

    fn name(&self) -> &'static str {
        "ignore-without-reason"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"An ignore that gives no reason, names no rule, or has ended.

An ignore says why, so that the next reader can tell whether it still holds. Without a reason, with an
unknown code, or after its `until` it does not count.

```bad
#[path = "odd.rs"] // structure-lint: allow(SL001)
mod a;
//- src/odd.rs
```

```good
#[path = "odd.rs"] // structure-lint: allow(SL001) reason="generated" until=2999-01-01
mod a;
//- src/odd.rs
```

How to fix: write the reason, or fix the finding."#
    }

    fn check(&self, _: &Context, _: &mut Vec<Diagnostic>) {}
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{check, findings};

    #[test]
    fn what_does_not_count_says_why() {
        let on = |ignore: &str| {
            format!("#[path = \"odd.rs\"] // structure-lint: {ignore}\nmod a;\n//- src/odd.rs\n")
        };
        check(
            "SL903",
            &on("allow(SL777) reason=\"x\""),
            "src/lib.rs:1:20 no rule has the code or the name `SL777`",
        );
        check(
            "SL903",
            &on("allow(SL001) reason=\"x\" until=2020-01-01"),
            "src/lib.rs:1:20 this ignore ended on 2020-01-01",
        );
        check(
            "SL903",
            &on("allow() reason=\"x\""),
            "src/lib.rs:1:20 this ignore names no rule",
        );
        assert_eq!(findings("SL001", &on("allow(SL001)")).len(), 1);
    }
}
