//! SL905

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// An entry of the baseline whose finding is gone.
pub(super) struct StaleBaseline;

impl Rule for StaleBaseline {
    fn code(&self) -> &'static str {
        "SL905"
    }

    fn name(&self) -> &'static str {
        "stale-baseline"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"An entry of the baseline whose finding is gone.

An entry that no finding needs is a licence for a new one. `structure-lint.baseline.json` counts
findings by rule, from and to; when there are fewer, it must say so too. A warning locally, and an
error where `CI` is set, so that fixing is never hindered and never forgotten.

```bad
//- structure-lint.baseline.json
{"version": 1, "findings": [{"rule": "SL001", "from": "app", "to": "", "count": 2}]}
//- src/lib.rs
#[path = "odd.rs"]
mod a;
//- src/odd.rs
```

```good
//- structure-lint.baseline.json
{"version": 1, "findings": [{"rule": "SL001", "from": "app", "to": "", "count": 1}]}
//- src/lib.rs
#[path = "odd.rs"]
mod a;
//- src/odd.rs
```

How to fix: `structure-lint baseline shrink`; after a rename, `structure-lint baseline mv old new`."#
    }

    // `baseline` adds it, after all other rules.
    fn check(&self, _: &Context, _: &mut Vec<Diagnostic>) {}
}
