//! SL044

use toml::Spanned;

use super::Rule;
use super::table_owner::configured_owner;
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::models::Access;
use crate::paths::wildcard;

/// A crate that reads a table of another.
pub(super) struct TableReader;

impl Rule for TableReader {
    fn code(&self) -> &'static str {
        "SL044"
    }

    fn name(&self) -> &'static str {
        "table-reader"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A crate that reads a table of another.

Who reads a table knows its columns, and its owner cannot change them alone. `[models] owners` names
the owner of a table, and `readers` the places beside it that may read it. A table without a named
owner may be read by all: that two crates share a database does not say which of them is right.

```bad
//- structure-lint.toml
[models]
owners = { accounts = "aam" }
//- aam/src/lib.rs
const A: &str = "insert into accounts (id) values ($1)";
//- dcl/src/lib.rs
fn f() { sqlx::query!("select id from orders join accounts on true") }
```

```good
//- structure-lint.toml
[models]
owners = { accounts = "aam" }
readers = { "acc*" = ["reports"] }
//- aam/src/lib.rs
const A: &str = "select id from accounts";
//- reports/src/lib.rs
fn f() { sqlx::query!("select id from accounts") }
//- dcl/src/lib.rs
const B: &str = "select extract(day from at) from orders where a is distinct from accounts";
```

How to fix: call a function of the owner, or name the reader in `readers`."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for (name, table) in &cx.models.tables {
            let Some(owner) = configured_owner(cx, name) else {
                continue;
            };
            let strangers = table
                .reads
                .iter()
                .filter(|it| !may_read(cx, name, owner, it));
            for read in strangers {
                out.push(finding(cx, name, owner, read));
            }
        }
    }
}

fn may_read(cx: &Context, table: &str, owner: &Spanned<String>, read: &Access) -> bool {
    let models = &cx.config.models;
    let readers = models.readers.iter();
    let mut lists = readers.filter(|(pattern, _)| wildcard(pattern.get_ref(), table));
    cx.config.covers(owner.get_ref(), &read.from).is_some()
        || lists.any(|(_, list)| cx.config.covering(list, &read.from).is_some())
}

fn finding(cx: &Context, name: &str, owner: &Spanned<String>, read: &Access) -> Diagnostic {
    let owned = owner.get_ref();
    let message = format!(
        "`{}` reads the table `{name}`, which belongs to `{owned}`",
        read.from.path
    );
    Diagnostic::new("SL044", read.place.clone(), message)
        .label("a reader from outside")
        .note("the owner is named here", Some(cx.config.place(owner)))
        .help(format!(
            "call a function of `{owned}`, or name the reader in `readers`"
        ))
        .to(name)
        .from(&read.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    #[test]
    fn without_a_named_owner_everyone_may_read() {
        let fixture = "//- a/src/lib.rs\nconst W: &str = \"insert into t (id) values (1)\";\n\
            //- b/src/lib.rs\nconst R: &str = \"select id from x, t\";\n";
        check("SL044", fixture, "");
        check(
            "SL044",
            &format!("//- structure-lint.toml\n[models]\nowners = {{ t = \"a\" }}\n{fixture}"),
            "b/src/lib.rs:1:17 `b` reads the table `t`, which belongs to `a`",
        );
    }
}
