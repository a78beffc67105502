//! `.sqlx/` is what `tests/prepare` would write: a file for each `query!`, as the database of the
//! migrations describes it today.
//!
//! A build without a database believes these files, so one that is missing fails the build, and
//! one that is out of date or that no query needs fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};
use syn::LitStr;
use tests::fixtures::source_files::rust_files;
use tests::postgres::database;

/// Folders with `query!` in them.
const SOURCES: [&str; 3] = ["shared", "functions", "infra"];

#[tokio::test]
async fn what_is_prepared_is_what_the_queries_need() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let prepared = prepared(&root.join(".sqlx"));
    let mut queries = BTreeSet::new();
    for file in SOURCES.iter().flat_map(|it| rust_files(&root.join(it))) {
        let source = fs::read_to_string(&file).unwrap();
        collect(syn::parse_str(&source).unwrap(), &mut queries);
    }

    let database = database().await;
    let pool = database.pool();
    let mut wrong = Vec::new();
    for sql in &queries {
        let now = (&pool).describe(AssertSqlSafe(sql.as_str()).into_sql_str());
        let now = settled(serde_json::to_value(now.await.unwrap()).unwrap());
        match prepared.get(sql) {
            None => wrong.push(format!("not prepared: {sql}")),
            Some(then) if *then != now => {
                wrong.push(format!("prepared as {then}, is {now}: {sql}"))
            }
            Some(_) => {}
        }
    }
    let stale = prepared.keys().filter(|it| !queries.contains(*it));
    wrong.extend(stale.map(|it| format!("prepared, and no query! has it: {it}")));
    let wrong = wrong.join("\n\n");
    assert!(wrong.is_empty(), "run tests/prepare\n\n{wrong}");
}

#[test]
fn a_query_is_found_in_each_kind_of_macro() {
    let source = r##"
        fn all() {
            sqlx::query!("one", 1);
            tokio::join!(query_as!(Row, r#"two"#, id).fetch(), async { query_scalar!("th" + "ree") });
            sqlx::query("not a macro");
        }
    "##;
    let mut found = BTreeSet::new();
    collect(syn::parse_str(source).unwrap(), &mut found);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["one", "three", "two"]
    );
}

/// What is prepared, by the query's text.
fn prepared(folder: &Path) -> BTreeMap<String, Value> {
    let files = fs::read_dir(folder).unwrap();
    let read =
        |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    files
        .map(|it| read(it.unwrap().path()))
        .map(|mut it| {
            (
                it["query"].as_str().unwrap().to_owned(),
                settled(it["describe"].take()),
            )
        })
        .collect()
}

/// Without the nullability of columns that state their own (`name?`, `name!`): sqlx reads it off
/// the plan, which varies with what the planner knows of the tables, and then does not use it.
fn settled(mut described: Value) -> Value {
    let names: Vec<_> = described["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().contains(['?', '!']))
        .collect();
    for (column, _) in names
        .iter()
        .enumerate()
        .filter(|(_, states_its_own)| **states_its_own)
    {
        described["nullable"][column].take();
    }
    described
}

/// Adds the text of each `query!`, `query_as!` and `query_scalar!`, within other macros too.
fn collect(tokens: TokenStream, out: &mut BTreeSet<String>) {
    let mut before = ["", ""].map(str::to_owned);
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            let argument = match &before {
                [name, mark] if mark == "!" => match name.as_str() {
                    "query" | "query_scalar" => Some(0),
                    "query_as" => Some(1),
                    _ => None,
                },
                _ => None,
            };
            match argument {
                Some(argument) => {
                    out.insert(text(group.stream(), argument));
                }
                None => collect(group.stream(), out),
            }
        }
        before = [std::mem::take(&mut before[1]), token.to_string()];
    }
}

/// The text of one argument, which is a literal or a sum of them.
fn text(arguments: TokenStream, argument: usize) -> String {
    let mut comma = 0;
    let mut text = String::new();
    for token in arguments {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => comma += 1,
            TokenTree::Literal(_) if comma == argument => {
                let literal: LitStr = syn::parse2(token.into()).unwrap();
                text.push_str(&literal.value());
            }
            _ => {}
        }
    }
    text
}
