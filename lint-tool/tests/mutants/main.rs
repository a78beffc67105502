//! Recall of the model rules: copies of mapped structs with edits, alone and in pairs, are all found;
//! what only looks like a copy stays silent.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use structure_lint::config::Config;
use structure_lint::tree::Tree;

const FIELDS: [(&str, &str); 6] = [
    ("id", "Uuid"),
    ("name", "String"),
    ("owner", "String"),
    ("kind", "i32"),
    ("created_at", "DateTime<Utc>"),
    ("note", "Option<String>"),
];

/// A struct as its parts, so that edits can be combined.
#[derive(Clone)]
struct Copied {
    name: &'static str,
    derive: &'static str,
    fields: Vec<(String, String)>,
    within: [&'static str; 2],
}

impl Copied {
    fn new() -> Copied {
        let own = |(name, ty): (&str, &str)| (name.to_owned(), ty.to_owned());
        Copied {
            name: "Account",
            derive: "#[derive(FromRow)]",
            fields: FIELDS.into_iter().map(own).collect(),
            within: ["", ""],
        }
    }

    fn text(&self) -> String {
        let fields = self
            .fields
            .iter()
            .map(|(name, ty)| format!("{name}: {ty},\n"));
        let fields: String = fields.collect();
        let [open, close] = self.within;
        format!(
            "{open}\n{}\nstruct {} {{\n{fields}}}\n{close}\n",
            self.derive, self.name
        )
    }
}

type Edit = (&'static str, fn(&mut Copied));

const EDITS: [Edit; 12] = [
    ("rename", |it| it.name = "AccountRow"),
    ("field more", |it| {
        it.fields.push(("extra".into(), "u8".into()))
    }),
    ("field less", |it| it.fields.truncate(5)),
    ("option flip", |it| it.fields[1].1 = "Option<String>".into()),
    ("option gone", |it| {
        it.fields
            .iter_mut()
            .filter(|it| it.0 == "note")
            .for_each(|it| it.1 = "String".into())
    }),
    ("full paths", |it| it.fields[0].1 = "uuid::Uuid".into()),
    ("reorder", |it| it.fields.reverse()),
    ("sqlx rename", |it| {
        let field = it.fields.iter_mut().find(|it| it.0 == "owner");
        field.unwrap().0 = "#[sqlx(rename = \"owner\")] holder".into();
    }),
    ("raw identifier", |it| {
        let field = it.fields.iter_mut().find(|it| it.0 == "kind");
        field.unwrap().0 = "r#kind".into();
    }),
    ("inline module", |it| it.within = ["mod rows {", "}"]),
    ("cfg", |it| it.within = ["#[cfg(unix)]", ""]),
    ("cfg_attr", |it| {
        it.derive = "#[cfg_attr(unix, derive(sqlx::FromRow))]"
    }),
];

/// How often SL041 speaks about `copy` in another crate.
fn found(copy: &str) -> usize {
    let home = Copied::new().text();
    let fixture = format!("//- a/src/lib.rs\n{home}\n//- b/src/lib.rs uses a\n{copy}\n");
    let today = "2026-11-22".parse().unwrap();
    let tree = Tree::fixture(&fixture);
    let report = structure_lint::engine::check_tree(&tree, &Config::default(), today).unwrap();
    report
        .diagnostics
        .iter()
        .filter(|it| it.code == "SL041")
        .count()
}

#[test]
fn every_edited_copy_is_found() {
    let mut missed = Vec::new();
    let mut count = 0;
    for (index, (one, edit)) in EDITS.iter().enumerate() {
        for (other, second) in &EDITS[index..] {
            let mut copy = Copied::new();
            edit(&mut copy);
            if one != other {
                second(&mut copy);
            }
            count += 1;
            if found(&copy.text()) != 1 {
                missed.push(format!("{one} and {other}:\n{}", copy.text()));
            }
        }
    }
    assert_eq!(count, 78);
    assert!(
        missed.is_empty(),
        "{} missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

#[test]
fn what_only_looks_like_a_copy_is_silent() {
    let silent = |text: &str| assert_eq!(found(text), 0, "{text}");
    silent("pub use a::Account;");
    silent("pub use a::Account as Row;");
    silent("type Row = a::Account;");
    silent("struct Wrapped(a::Account);");
    silent("#[derive(FromRow)] struct Held { #[sqlx(flatten)] inner: a::Account }");
    silent("#[derive(FromRow)] struct AccountName { id: Uuid, name: String }");
    silent("#[derive(FromRow)] struct Totals { kind: i32, total: i64 }");
    let plain = Copied::new().text().replace("#[derive(FromRow)]", "");
    silent(&plain);
    silent(&format!("mod v1 {{ {} }}", Copied::new().text()));
    silent(&format!(
        "#[cfg(test)] mod tests {{ {} }}",
        Copied::new().text()
    ));
    silent(&format!("// @generated\n{}", Copied::new().text()));
}
