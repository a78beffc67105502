//! SL043

use super::Rule;
use super::likeness::{Likeness, difference, pairs};
use crate::check::Context;
use crate::diagnostic::{Diagnostic, Level};

/// Two definitions of one model that have grown apart.
pub(super) struct Drift;

impl Rule for Drift {
    fn code(&self) -> &'static str {
        "SL043"
    }

    fn name(&self) -> &'static str {
        "drift"
    }

    fn level(&self) -> Level {
        Level::Error
    }

    fn explain(&self) -> &'static str {
        r#"Two definitions of one model that have grown apart.

SL041 says that a model has two homes; this rule says in which fields they differ, since that is what
breaks: a column that one side does not write, or reads as another type. It speaks also where SL041 is
excused, so that a duplicate that must be stays a true copy.

```bad
//- schema/src/lib.rs
#[derive(FromRow)]
pub struct Account { pub id: Uuid, pub name: String, pub owner: String }
//- dcl/src/lib.rs
#[derive(FromRow)]
struct AccountRow { id: Uuid, name: Option<String>, owner: String }
```

```good
//- schema/src/lib.rs
#[derive(FromRow)]
pub struct Account { pub id: Uuid, pub name: String, pub owner: String }
//- dcl/src/lib.rs
#[derive(FromRow)]
struct AccountRow { owner: String, id: uuid::Uuid, name: String }
```

How to fix: use the one definition; where there must be two, give them the same fields again."#
    }

    fn check(&self, cx: &Context, out: &mut Vec<Diagnostic>) {
        for pair in pairs(cx).filter(|it| it.likeness == Likeness::Same) {
            let (home, copy) = (pair.home, pair.copy);
            let differs = difference(home, copy);
            if differs.is_empty() {
                continue;
            }
            let target = format!("{}::{}", home.from.path, home.name);
            let message = format!("`{}` has drifted from `{target}`", copy.name);
            let finding = Diagnostic::new("SL043", copy.place.clone(), message)
                .label(differs.join(", "))
                .note("its home", Some(home.place.clone()))
                .help(format!(
                    "use `{target}`, or give both the same fields again"
                ))
                .to(target)
                .from(&copy.from);
            out.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::files::SourceFiles;
    use crate::rules::testing::check;

    const FIXTURE: &str = "//- a/src/lib.rs\n#[derive(FromRow)]\npub struct Account { id: u8, name: String, kind: u8, at: i64 }\n\
        //- b/src/lib.rs\n#[derive(FromRow)]\nstruct Account { id: u8, name: Option<String>, #[sqlx(rename = \"kind\")] sort: u8, more: u8 }\n";

    #[test]
    fn the_label_is_the_difference_of_the_fields() {
        check(
            "SL043",
            FIXTURE,
            "b/src/lib.rs:2:8 `Account` has drifted from `a::Account`",
        );
        let report = crate::check::check_files(
            &SourceFiles::fixture(FIXTURE),
            &Config::default(),
            "2026-11-22".parse().unwrap(),
        );
        let report = report.unwrap();
        let drift = report.diagnostics.iter().find(|it| it.code == "SL043");
        assert_eq!(
            drift.unwrap().label,
            "-at, +more, name: String -> Option<String>"
        );
    }
}
