//! SL040

use super::Rule;
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};
use crate::models::{Access, Table};
use crate::paths::wildcard;

/// A table that two crates write.
pub(super) struct TableOwner;

impl Rule for TableOwner {
    fn code(&self) -> &'static str {
        "SL040"
    }

    fn name(&self) -> &'static str {
        "table-owner"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"A table that two crates write.

One crate writes a table: it alone can keep the rules that the columns do not say. A second writer
skips them, and a migration must find both. The writer is where `insert`, `update`, `delete`, `merge`,
`copy … from` or `truncate` texts stand; a migration's `create table` declares the table.
`[models] owners = { accounts = "aam" }` names the owner. Without it the owner is the crate whose
migrations create the table, or that has all structs of it; where neither says so, a finding names both
writers, and is a warning without `strict = true`.
Two crates that each declare one table and write it have a database each, and are left alone; so is a
crate of migrations, without `strict = true`.

```bad
//- migrations/0001.sql
create table accounts (id uuid primary key);
//- aam/src/lib.rs
const A: &str = "insert into accounts (id) values ($1)";
const B: &str = "update accounts set id = $1";
//- dcl/src/lib.rs
fn f() { sqlx::query!("delete from accounts where id = $1", id) }
```

```good
//- migrations/0001.sql
create table accounts (id uuid primary key);
//- aam/src/lib.rs
const A: &str = "insert into accounts (id) values ($1)";
//- dcl/src/lib.rs
fn f() { sqlx::query!("select id from accounts") }
```

How to fix: call a function of the owner, or give the table to one of them."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        let apart = apart(cx);
        for (name, table) in &cx.models.tables {
            declared_twice(name, table, &apart, out);
            match configured_owner(cx, name) {
                Some(owner) => written_elsewhere(cx, name, table, owner, out),
                None => written_by_two(cx, name, table, &apart, out),
            }
        }
    }
}

/// The owner that the configuration names: by the table's own name before any pattern.
pub(super) fn configured_owner<'a>(cx: &'a Context, table: &str) -> Option<&'a Spanned<String>> {
    let owners = &cx.config.models.owners;
    let exact = owners.iter().find(|(name, _)| name.get_ref() == table);
    let mut patterns = owners.iter();
    let found = exact.or_else(|| patterns.find(|(name, _)| wildcard(name.get_ref(), table)));
    found.map(|(_, owner)| owner)
}

/// Pairs of packages with a database each: both declare one table and write it, which no single
/// database would take.
type Apart = BTreeSet<(usize, usize)>;

fn apart(cx: &Context) -> Apart {
    let mut pairs = Apart::new();
    for table in cx.models.tables.values() {
        let writes = |package: usize| table.writes.iter().any(|it| it.package == package);
        let declaring = table.declared.iter().filter_map(|(_, package)| *package);
        let own: BTreeSet<usize> = declaring.filter(|it| writes(*it)).collect();
        for one in &own {
            pairs.extend(own.iter().filter(|it| *it != one).map(|it| (*one, *it)));
        }
    }
    pairs
}

fn declared_twice(name: &str, table: &Table, apart: &Apart, out: &mut Vec<Diagnostic>) {
    let Some((first, package)) = table.declared.first() else {
        return;
    };
    let is_apart = |it: &Option<usize>| package.zip(*it).is_some_and(|it| apart.contains(&it));
    // Within one package a second declaration is another dialect, or follows a drop.
    let others = table.declared.iter().filter(|(_, it)| it != package);
    for (place, _) in others.filter(|(_, it)| !is_apart(it)) {
        let finding = Diagnostic::new(
            "SL040",
            place.clone(),
            format!("the table `{name}` is declared a second time"),
        )
        .note("the first time", Some(first.clone()))
        .help("keep one of the two migrations")
        .to(name);
        out.push(finding);
    }
}

fn written_elsewhere(
    cx: &Context,
    name: &str,
    table: &Table,
    owner: &Spanned<String>,
    out: &mut Vec<Diagnostic>,
) {
    let strangers = table
        .writes
        .iter()
        .filter(|it| cx.config.covers(owner.get_ref(), &it.from).is_none());
    for write in strangers {
        let owned = owner.get_ref();
        out.push(
            finding(name, write, owned)
                .note("the owner is named here", Some(cx.config.place(owner))),
        );
    }
}

fn written_by_two(
    cx: &Context,
    name: &str,
    table: &Table,
    apart: &Apart,
    out: &mut Vec<Diagnostic>,
) {
    let mut by_package: BTreeMap<usize, Vec<&Access>> = BTreeMap::new();
    let writes = table.writes.iter();
    for write in writes.filter(|it| cx.config.is_strict() || !is_migrator(cx, it.package)) {
        by_package.entry(write.package).or_default().push(write);
    }
    let clear = clear_owner(cx, name, table).filter(|it| by_package.contains_key(it));
    let most = by_package
        .iter()
        .max_by_key(|(package, it)| (it.len(), std::cmp::Reverse(**package)));
    let Some(first) = clear.or(most.map(|(package, _)| *package)) else {
        return;
    };
    let title = &cx.workspace.packages[first].name;
    let place = by_package[&first].first().map(|it| it.place.clone());
    let others = by_package.iter().filter(|(it, _)| **it != first);
    for write in others
        .filter(|(it, _)| !apart.contains(&(first, **it)))
        .flat_map(|(_, it)| it)
    {
        let finding = if clear.is_some() {
            finding(name, write, title)
        } else {
            shared(name, write, title)
        };
        out.push(finding.note(format!("`{title}` writes it here"), place.clone()));
    }
}

/// The package that the sources themselves make the owner: it alone creates the table, or defines every
/// struct of it.
fn clear_owner(cx: &Context, name: &str, table: &Table) -> Option<usize> {
    let only = |packages: BTreeSet<usize>| {
        let mut packages = packages.into_iter();
        packages.next().filter(|_| packages.next().is_none())
    };
    let creating = table.declared.iter().filter_map(|(_, package)| *package);
    let structs = cx.models.structs.iter();
    let mapped = structs
        .filter(|it| it.tables.contains(name))
        .map(|it| it.package);
    let creating: BTreeSet<usize> = creating.filter(|it| !is_migrator(cx, *it)).collect();
    if creating.is_empty() {
        only(mapped.collect())
    } else {
        only(creating)
    }
}

/// A crate of migrations writes every table, and owns none.
fn is_migrator(cx: &Context, package: usize) -> bool {
    cx.workspace.packages[package].name.contains("migrat")
}

/// The finding where nothing says whose the table is.
fn shared(name: &str, write: &Access, other: &str) -> Diagnostic {
    let path = &write.from.path;
    let message = format!("`{path}` writes the table `{name}`, and so does `{other}`");
    Diagnostic::new("SL040", write.place.clone(), message)
        .label("owned by both")
        .help(
            "let one of them write it, or name the owner: `[models] owners` in structure-lint.toml",
        )
        .to(name)
        .from(&write.from)
        .unsure()
}

fn finding(name: &str, write: &Access, owner: &str) -> Diagnostic {
    let message = format!(
        "`{}` writes the table `{name}`, which belongs to `{owner}`",
        write.from.path
    );
    Diagnostic::new("SL040", write.place.clone(), message)
        .label("a second writer")
        .help(format!(
            "call a function of `{owner}`, or move the table here with everything that writes it"
        ))
        .to(name)
        .from(&write.from)
}

#[cfg(test)]
mod tests {
    use crate::check::check_files;
    use crate::config::Config;
    use crate::diagnostic::Level;
    use crate::files::SourceFiles;
    use crate::rules::testing::check;

    const MIGRATION: &str = "//- migrations/0001.sql\ncreate table accounts (id uuid);\n";

    #[test]
    fn the_configured_owner_is_the_only_writer() {
        let config = "//- structure-lint.toml\n[models.owners]\n\"acc*\" = \"dcl\"\n";
        check(
            "SL040",
            &format!(
                "{config}{MIGRATION}//- aam/src/lib.rs\nconst A: &str = \"insert into accounts values (1)\";\n//- dcl/src/lib.rs\n"
            ),
            "aam/src/lib.rs:1:17 `aam` writes the table `accounts`, which belongs to `dcl`",
        );
    }

    #[test]
    fn tests_reading_and_unknown_tables_are_silent() {
        check(
            "SL040",
            &format!(
                "{MIGRATION}//- aam/src/lib.rs\nconst A: &str = \"insert into accounts values (1)\";\n\
                //- dcl/src/lib.rs\nconst B: &str = \"delete from scratch\";\n#[cfg(test)]\nmod tests {{ const C: &str = \"delete from accounts\"; }}\n\
                //- dcl/tests/it.rs\nconst D: &str = \"delete from accounts\";\n//- eve/src/lib.rs\nconst E: &str = \"delete from scratch\";\n"
            ),
            "",
        );
    }

    #[test]
    fn two_crates_do_not_declare_one_table() {
        check(
            "SL040",
            "//- a/src/lib.rs\n//- a/migrations/1.sql\ncreate table t (id int);\n//- b/src/lib.rs\n//- b/migrations/1.sql\n\ncreate table t (id int);\n",
            "b/migrations/1.sql:2:14 the table `t` is declared a second time",
        );
    }

    #[test]
    fn two_crates_with_a_database_each_share_no_table() {
        let own = |name: &str| {
            format!(
                "//- {name}/src/lib.rs\nconst A: &str = \"insert into jobs (id) values ($1)\";\n\
                 //- {name}/migrations/1.sql\ncreate table jobs (id uuid);\ncreate table old (id uuid);\n"
            )
        };
        check("SL040", &format!("{}{}", own("a"), own("b")), "");
        let third = "//- c/src/lib.rs\nconst A: &str = \"delete from jobs\";\n";
        check(
            "SL040",
            &format!("{}{}{third}", own("a"), own("b")),
            "c/src/lib.rs:1:17 `c` writes the table `jobs`, and so does `a`",
        );
    }

    const WRITE: &str = "const A: &str = \"insert into accounts (id) values ($1)\";";

    #[test]
    fn without_a_clear_owner_both_are_named() {
        let both = format!("//- a/src/lib.rs\n{WRITE}\n{WRITE}\n//- b/src/lib.rs\n{WRITE}\n");
        check(
            "SL040",
            &format!("{MIGRATION}{both}"),
            "b/src/lib.rs:1:17 `b` writes the table `accounts`, and so does `a`",
        );
        check(
            "SL040",
            &format!("//- b/migrations/1.sql\ncreate table accounts (id uuid);\n{both}"),
            "a/src/lib.rs:1:17 `a` writes the table `accounts`, which belongs to `b`\n\
             a/src/lib.rs:2:17 `a` writes the table `accounts`, which belongs to `b`",
        );
        let row = "#[derive(FromRow)] struct Account { id: Uuid, name: String }\n\
                   fn f() { sqlx::query_as!(Account, \"select id, name from accounts\") }\n";
        check(
            "SL040",
            &format!("{MIGRATION}//- a/src/lib.rs\n{WRITE}\n//- b/src/lib.rs\n{WRITE}\n{row}"),
            "a/src/lib.rs:1:17 `a` writes the table `accounts`, which belongs to `b`",
        );
    }

    #[test]
    fn a_crate_of_migrations_may_write_what_it_creates() {
        let loose = "//- structure-lint.toml\nstrict = false\n";
        let writers = format!("//- migration/src/lib.rs\n{WRITE}\n//- b/src/lib.rs\n{WRITE}\n");
        check("SL040", &format!("{loose}{MIGRATION}{writers}"), "");
        check(
            "SL040",
            &format!("{MIGRATION}{writers}"),
            "migration/src/lib.rs:1:17 `migration` writes the table `accounts`, and so does `b`",
        );
    }

    #[test]
    fn an_exact_owner_beats_a_pattern() {
        let config = "//- structure-lint.toml\n[models.owners]\n\"*\" = \"b\"\naccounts = \"a\"\n";
        let both = format!("//- a/src/lib.rs\n{WRITE}\n//- b/src/lib.rs\n{WRITE}\n");
        check(
            "SL040",
            &format!("{config}{MIGRATION}{both}"),
            "b/src/lib.rs:1:17 `b` writes the table `accounts`, which belongs to `a`",
        );
    }

    #[test]
    fn a_guess_is_a_warning() {
        let both = format!("{MIGRATION}//- a/src/lib.rs\n{WRITE}\n//- b/src/lib.rs\n{WRITE}\n");
        let levels = |config: &str| {
            let files = SourceFiles::fixture(&both);
            let config = Config::parse(config).unwrap();
            let report = check_files(&files, &config, "2026-11-22".parse().unwrap()).unwrap();
            let of_rule = report.diagnostics.iter().filter(|it| it.code == "SL040");
            of_rule.map(|it| it.level).collect::<Vec<_>>()
        };
        assert_eq!(levels(""), [Level::Warn]);
        assert_eq!(levels("strict = true"), [Level::Error]);
        assert_eq!(levels("[rules]\nSL040 = \"error\""), [Level::Error]);
        assert_eq!(levels("[models.owners]\naccounts = \"a\""), [Level::Error]);
    }
}
