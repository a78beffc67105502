//! structure-lint: fails the build when a workspace's structure is broken.
//!
//! It reads manifests, sources and migrations once, turns each file into facts, resolves paths, and
//! runs rules over that. It needs no compiler and also works on code that does not build.
//!
//! As a test of a workspace:
//!
//! ```no_run
//! #[test]
//! fn the_structure_is_sound() {
//!     structure_lint::assert_clean!();
//! }
//! ```

pub mod baseline;
pub mod bundle;
pub mod cache;
pub mod check;
pub mod cli;
pub mod config;
mod cycle_memo;
pub mod date;
pub mod diagnostic;
pub mod diff;
pub mod edges;
mod error;
pub mod facts;
pub mod files;
pub mod fix;
pub mod graph;
mod hint;
mod ignores;
pub mod infer;
pub mod manifest;
pub mod models;
pub mod modules;
mod paths;
pub mod render;
pub mod resolve;
pub mod revision;
pub mod rules;
pub mod selector;
pub mod self_test;
pub mod sql;
pub mod stats;
pub mod timing;
pub mod workspace;

use std::path::Path;

pub use check::{Report, check, root_above};
pub use diagnostic::{Diagnostic, Level};
pub use error::Error;
pub use render::{Format, render};

/// Panics with every finding unless the workspace above `dir` is clean. Use [`assert_clean!`].
#[track_caller]
pub fn assert_clean_above(dir: &Path) {
    match root_above(dir).and_then(|root| check(&root)) {
        Ok((report, deny_warnings)) => {
            let clean = report.is_clean(deny_warnings);
            assert!(clean, "{}", render(&report, Format::Human));
        }
        Err(err) => panic!("structure-lint: {err}"),
    }
}

/// Fails the test that it stands in unless the workspace is clean.
#[macro_export]
macro_rules! assert_clean {
    () => {
        $crate::assert_clean_above(::std::path::Path::new(env!("CARGO_MANIFEST_DIR")))
    };
}
