//! SL042

use super::Rule;
use super::likeness::{Likeness, Pair, difference, pairs};
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// Two structs of data with nearly the same fields.
pub(super) struct NearDuplicate;

impl Rule for NearDuplicate {
    fn code(&self) -> &'static str {
        "SL042"
    }

    fn name(&self) -> &'static str {
        "near-duplicate"
    }

    fn level(&self) -> Level {
        Level::Warn
    }

    fn explain(&self) -> &'static str {
        r#"Two structs of data with nearly the same fields.

Two crates that describe one thing each in its own words convert between them, or should. Meant are
structs that are mapped to the database or derive serde's traits, of five fields or more, where four
fields in five have the same name and type. Subsets are projections, and silent, unless all but one
column of a table is repeated under a name that is none of a part (`NewOrder`, `OrderChange`). A layer
that speaks for the models to the outside is declared with `[models] api`: what `From` joins is meant
there.

```bad
//- store/src/lib.rs
#[derive(Serialize)]
pub struct Order { pub id: u64, pub buyer: String, pub total: i64, pub paid: bool, pub note: String }
//- shop/src/lib.rs
#[derive(Deserialize)]
struct Purchase { id: u64, buyer: String, total: i64, paid: bool, note: String }
```

```good
//- structure-lint.toml
[models]
api = ["shop"]
//- store/src/lib.rs
#[derive(Serialize)]
pub struct Order { pub id: u64, pub buyer: String, pub total: i64, pub paid: bool, pub note: String }
//- shop/src/lib.rs uses store
#[derive(Serialize)]
struct Purchase { id: u64, buyer: String, total: i64, paid: bool, note: String }
impl From<store::Order> for Purchase { fn from(it: store::Order) -> Purchase { todo!() } }
#[derive(Serialize)]
struct Receipt { buyer: String, total: i64, paid: bool }
```

How to fix: share one definition, or declare the layer and the conversion that make it two."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for pair in pairs(cx).filter(|it| it.likeness == Likeness::Near) {
            out.push(finding(&pair));
        }
    }
}

fn finding(pair: &Pair) -> Diagnostic {
    let (home, copy) = (pair.home, pair.copy);
    let target = format!("{}::{}", home.from.path, home.name);
    let differs = difference(home, copy);
    let differs = if differs.is_empty() {
        "all fields are the same".to_owned()
    } else {
        format!("they differ in {}", differs.join(", "))
    };
    let message = format!("`{}` looks like `{target}`", copy.name);
    Diagnostic::new("SL042", copy.place.clone(), message)
        .label("nearly the same fields")
        .note(differs, Some(home.place.clone()))
        .help("share one definition, or declare the layer and the conversion that make it two")
        .to(target)
        .from(&copy.from)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::check;

    const HOME: &str = "//- a/src/lib.rs\n#[derive(Serialize)]\npub struct A { pub a: u8, pub b: u8, pub c: u8, pub d: u8, pub e: Option<u8> }\n";

    #[test]
    fn one_field_more_or_of_another_type_is_near() {
        let near = |source: &str, expected: &str| {
            check(
                "SL042",
                &format!("{HOME}//- b/src/lib.rs uses a\n{source}\n"),
                expected,
            );
        };
        let found = "b/src/lib.rs:1:29 `B` looks like `a::A`";
        near(
            "#[derive(Deserialize)] struct B { d: u8, c: u8, b: u8, a: u8, e: core::option::Option<u8> }",
            "b/src/lib.rs:1:31 `B` looks like `a::A`",
        );
        near(
            "#[derive(Serialize)] struct B { a: u8, b: u8, c: u8, d: u8, e: u8 }",
            found,
        );
        near(
            "#[derive(Serialize)] struct B { a: u8, b: u8, c: u8, d: u8, x: u8 }",
            "",
        );
        near(
            "#[derive(Serialize)] struct B { a: u8, b: u8, c: u8, d: u8 }",
            "",
        );
        near("struct B { a: u8, b: u8, c: u8, d: u8, e: Option<u8> }", "");
    }

    #[test]
    fn all_but_one_column_of_a_table_are_no_projection() {
        let row = |name: &str, fields: &str, table: &str| {
            format!(
                "struct {name} {{ {fields} }}\nfn f() {{ sqlx::query_as!({name}, \"select * from {table}\") }}\n"
            )
        };
        let all = "a: u8, b: u8, c: u8, d: u8, e: u8, f: u8";
        let near = |copy: &str, expected: &str| {
            let home = row("A", all, "t");
            let source = format!("//- a/src/lib.rs\n{home}//- b/src/lib.rs\n{copy}");
            check("SL042", &source, expected);
        };
        let less = "a: u8, b: u8, c: u8, d: u8, e: u8";
        let found = "b/src/lib.rs:1:8 `B` looks like `a::A`";
        near(&row("B", less, "t"), found);
        near(&row("B", &format!("{all}, g: u8"), "t"), found);
        near(&row("B", less, "other"), "");
        near(&row("NewA", less, "t"), "");
        near(&row("AChange", less, "t"), "");
        near(&row("B", "a: u8, b: u8, c: u8, d: u8", "t"), "");
    }

    #[test]
    fn a_conversion_counts_only_in_the_declared_layer() {
        let dto = "#[derive(Serialize)]\nstruct B { a: u8, b: u8, c: u8, d: u8, e: Option<u8> }\nimpl From<&a::A> for B {}";
        let source = format!("{HOME}//- b/src/lib.rs uses a\n{dto}\n");
        check("SL042", &source, "b/src/lib.rs:2:8 `B` looks like `a::A`");
        let config = "//- structure-lint.toml\n[models]\napi = [\"b\"]\n";
        check("SL042", &format!("{config}{source}"), "");
    }

    #[test]
    fn generated_files_and_versions_are_not_meant() {
        let fields = "{ a: u8, b: u8, c: u8, d: u8, e: Option<u8> }";
        check(
            "SL042",
            &format!(
                "{HOME}//- b/src/lib.rs\n// @generated by a tool\n#[derive(Serialize)] struct B {fields}\n"
            ),
            "",
        );
        check(
            "SL042",
            &format!("{HOME}//- b/src/lib.rs\n#[derive(Serialize)] struct AV2 {fields}\n"),
            "",
        );
    }
}
