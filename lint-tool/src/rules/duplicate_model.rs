//! SL041

use super::Rule;
use super::likeness::{Likeness, Pair, pairs};
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// One model that two crates define.
pub(super) struct DuplicateModel;

impl Rule for DuplicateModel {
    fn code(&self) -> &'static str {
        "SL041"
    }

    fn name(&self) -> &'static str {
        "duplicate-model"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"One model that two crates define.

A model has one home. A second definition drifts: a column is added to one of them, and the other
reads or writes rows that lack it. Two structs are one model when both map to the database (a derive,
a table attribute, `query_as`) and have the same name and mostly the same fields, or read the same
table with nearly all fields alike. Projections with their own name, one-field wrappers, re-exports,
tests, generated files, versioned snapshots (`v1`, `AccountV1`) and structs of `[models] api` that
`From` joins to the model are not meant. With `[models] home = ["schema"]` a struct outside
that repeats one of `home` is a duplicate even if nothing maps it.

```bad
//- schema/src/lib.rs
#[derive(FromRow)]
pub struct Account { pub id: Uuid, pub name: String, pub owner: String }
//- dcl/src/lib.rs
#[derive(sqlx::FromRow)]
struct AccountRow { id: uuid::Uuid, name: Option<String>, owner: String, note: String }
```

```good
//- schema/src/lib.rs
#[derive(FromRow)]
pub struct Account { pub id: Uuid, pub name: String, pub owner: String }
//- dcl/src/lib.rs uses schema
pub use schema::Account;
#[derive(sqlx::FromRow)]
struct AccountName { id: uuid::Uuid, name: String }
```

How to fix: use the one definition, or name the projection after what it is for."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for pair in pairs(cx).filter(|it| it.likeness == Likeness::Same) {
            out.push(finding(&pair));
        }
    }
}

fn finding(pair: &Pair) -> Diagnostic {
    let (home, copy) = (pair.home, pair.copy);
    let message = format!("`{}` is defined a second time", copy.name);
    Diagnostic::new("SL041", copy.place.clone(), message)
        .label("a copy of a model")
        .note(
            format!("`{}` is its home", home.from.path),
            Some(home.place.clone()),
        )
        .help(format!(
            "use `{}::{}`, or name the projection after what it is for",
            home.from.path, home.name
        ))
        .to(format!("{}::{}", home.from.path, home.name))
        .from(&copy.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{check, findings};

    const HOME: &str = "//- a/src/lib.rs\n#[derive(FromRow)]\npub struct Account { pub id: u8, pub name: String, pub owner: String, pub kind: u8 }\n";

    #[test]
    fn a_copy_with_small_edits_is_found() {
        let copy =
            |source: &str| findings("SL041", &format!("{HOME}//- b/src/lib.rs\n{source}\n")).len();
        assert_eq!(
            copy(
                "#[derive(FromRow)] struct Account { kind: u8, owner: String, id: u8, name: String }"
            ),
            1
        );
        assert_eq!(
            copy(
                "#[derive(FromRow)] struct Renamed { id: u8, name: String, owner: String, kind: u8 }"
            ),
            1
        );
        assert_eq!(
            copy("#[derive(FromRow)] struct Account { id: u8, name: String, owner: String }"),
            1
        );
        assert_eq!(
            copy(
                "#[derive(FromRow)] struct Account { id: u8, #[sqlx(rename = \"name\")] title: String, owner: String, r#kind: u8 }"
            ),
            1
        );
        assert_eq!(
            copy(
                "mod m { #[cfg_attr(unix, derive(sqlx::FromRow))] struct AccountEntity { id: Option<u8>, name: String, owner: String, kind: u8 } }"
            ),
            1
        );
        assert_eq!(
            copy(
                "struct Account { id: u8, name: String, owner: String, kind: u8 }\nfn f() { sqlx::query_as!(Account, \"select * from accounts\") }"
            ),
            1
        );
    }

    #[test]
    fn a_composite_type_is_mapped() {
        let fixture = |derive: &str| {
            let point = format!("#[derive({derive})] struct Point {{ x: f64, y: f64 }}\n");
            format!("//- a/src/lib.rs\n{point}//- b/src/lib.rs\n{point}")
        };
        assert_eq!(findings("SL041", &fixture("Debug, sqlx::Type")).len(), 1);
        assert_eq!(findings("SL041", &fixture("specta::Type")).len(), 0);
    }

    #[test]
    fn what_is_no_copy_is_silent() {
        let other = |source: &str| {
            check(
                "SL041",
                &format!("{HOME}//- b/src/lib.rs uses a\n{source}\n"),
                "",
            )
        };
        other("pub use a::Account;\ntype Row = a::Account;");
        other("#[derive(FromRow)] struct Id { id: u8 }");
        other("#[derive(FromRow)] struct AccountName { id: u8, name: String }");
        other("struct Account { id: u8, name: String, owner: String, kind: u8 }");
        other(
            "mod v1 { #[derive(FromRow)] struct Account { id: u8, name: String, owner: String, kind: u8 } }",
        );
        other(
            "#[cfg(test)] mod tests { #[derive(FromRow)] struct Account { id: u8, name: String, owner: String, kind: u8 } }",
        );
        other("#[derive(FromRow)] struct Account { street: String, city: String }");
        other("fn f() { sqlx::query_as!(a::Account, \"select * from accounts\") }");
    }

    #[test]
    fn what_repeats_a_struct_of_home_needs_no_mapping() {
        check(
            "SL041",
            "//- structure-lint.toml\n[models]\nhome = [\"z\"]\n//- a/src/lib.rs\nstruct Account { id: u8, name: String }\n//- z/src/lib.rs\npub struct Account { id: u8, name: String }\n",
            "a/src/lib.rs:1:8 `Account` is defined a second time",
        );
    }
}
