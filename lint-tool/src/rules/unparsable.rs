//! SL900

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level, Place, Span};
use crate::models::is_migration;

/// A file that cannot be read as what it is.
pub(super) struct Unparsable;

impl Rule for Unparsable {
    fn code(&self) -> &'static str {
        "SL900"
    }

    fn name(&self) -> &'static str {
        "unparsable"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A file that cannot be read as what it is.

A file that cannot be parsed is checked by no rule, so it must not pass in silence. The file may be
fine for a newer compiler: then update this tool.

```bad
fn f( {}
```

```good
fn f() {}
```

How to fix: make it parse, as `rustc` would ask too."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        out.extend(cx.workspace.problems.iter().cloned());
        for (file, facts) in &cx.modules.facts {
            if let Some((span, message)) = &facts.error {
                let message = format!("cannot parse the file: {message}");
                out.push(Diagnostic::new("SL900", Place::new(file, *span), message));
            }
        }
        for (file, reason) in cx.files.unreadable().filter(|(it, _)| is_read(cx, it)) {
            out.push(Diagnostic::new(
                "SL900",
                Place::new(file, Span::START),
                format!("cannot read the file: {reason}"),
            ));
        }
    }
}

/// Whether any rule would have looked at it: a dump of a database beside the code is nobody's source.
fn is_read(cx: &Context, file: &str) -> bool {
    if file.ends_with(".sql") {
        return is_migration(file);
    }
    cx.workspace.package_of(file).is_some()
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn a_broken_manifest_is_a_finding_too() {
        check(
            "SL900",
            "//- Cargo.toml\n[workspace]\nmembers = [\"a\"]\n//- a/Cargo.toml\n[package\n",
            "a/Cargo.toml:1:9 cannot parse the manifest: unclosed table, expected `]`",
        );
    }

    #[test]
    fn a_member_without_a_manifest_is_a_finding() {
        let at = |members: &str, expected: &str| {
            let root = format!(
                "//- Cargo.toml\n[workspace]\nmembers = [{members}]\nexclude = [\"crates/old\"]\n"
            );
            let own = "//- crates/a/src/lib.rs\n//- crates/b/Cargo.toml\n//- crates/old/x.rs\n//- crates/c/x.rs\n";
            check("SL900", &format!("{root}{own}"), expected);
        };
        at("\"crates/a\"", "");
        at(
            "\"crates/a\", \"crates/old\"",
            "Cargo.toml:2:24 `members` names `crates/old`, where there is no `Cargo.toml`",
        );
        at(
            "\"gone\"",
            "Cargo.toml:2:12 `members` names `gone`, where there is no `Cargo.toml`",
        );
        at(
            "\"crates/*\"",
            "Cargo.toml:2:12 `members` names `crates/c`, where there is no `Cargo.toml`",
        );
    }
}
