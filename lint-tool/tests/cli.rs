//! The binaries on small workspaces that are written to disk.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{run, write};

/// A workspace that is clean; each test plants one violation in it.
const WORKSPACE: &str = r#"
//- structure-lint.toml
[groups]
functions = ["functions/*"]
[[layers]]
name = "workspace"
order = ["schema", "aam", "functions"]
[[independent]]
name = "the functions"
members = ["functions"]
# Plants replace files, and with them uses; one upward also closes a circle.
[rules]
SL015 = "off"
SL023 = "off"
[models.owners]
accounts = "aam"
//- Cargo.toml
[workspace]
members = ["schema", "aam", "functions/*"]
//- schema/src/lib.rs
pub struct Account { pub id: u64, pub name: String, pub owner: String }
//- aam/src/lib.rs uses schema, sqlx
pub mod db;
//- aam/src/db/mod.rs
pub async fn insert() {
    sqlx::query!("insert into accounts (id) values ($1)", 1);
    sqlx::query_as!(schema::Account, "select id, name, owner from accounts");
}
//- functions/dcl-query/src/lib.rs uses schema, sqlx
pub mod views;
//- functions/dcl-query/src/views.rs
pub fn read(_: schema::Account) {}
//- functions/event-ingest/src/lib.rs uses aam
pub async fn handle() { aam::db::insert().await }
//- migrations/0001_accounts.sql
create table accounts (id bigint primary key, name text, owner text);
"#;

/// Plants files into the clean workspace and compares the short findings.
fn check(name: &str, planted: &str, expected: &str) {
    let root = write(name, &format!("{WORKSPACE}{planted}"));
    let (code, text) = run(&root, &["--format", "short"]);
    assert_eq!(text.trim_end(), expected);
    assert_eq!(code, i32::from(!expected.is_empty()));
}

#[test]
fn a_sound_workspace_is_clean() {
    check("sound", "", "");
    let (code, text) = run(&write("sound_human", WORKSPACE), &[]);
    assert_eq!(
        text,
        "structure-lint: 0 errors, 0 warnings in 6 files of 4 crates (0 of 5 paths not resolved)\n"
    );
    assert_eq!(code, 0);
}

#[test]
fn a_function_that_uses_a_function_is_found() {
    check(
        "function_edge",
        "//- functions/dcl-query/Cargo.toml\n[package]\nname = \"dcl-query\"\nedition = \"2024\"\n[dependencies]\n\
         event-ingest = { path = \"../event-ingest\" }\n\
         //- functions/dcl-query/src/views.rs\npub async fn read() {\n    use event_ingest::handle;\n    handle().await\n}\n",
        "functions/dcl-query/Cargo.toml:5:1: error[SL011] `dcl_query` uses `event_ingest`, but they are independent\n\
         functions/dcl-query/src/views.rs:2:9: error[SL011] `dcl_query::views` uses `event_ingest`, but they are independent",
    );
}

#[test]
fn a_second_home_of_a_model_is_found() {
    check(
        "second_model",
        "//- functions/dcl-query/src/views.rs\n#[derive(sqlx::FromRow)]\npub struct AccountRow { pub id: u64, pub name: String, pub owner: String }\n",
        "functions/dcl-query/src/views.rs:2:12: error[SL041] `AccountRow` is defined a second time",
    );
}

#[test]
fn a_second_owner_of_a_table_is_found() {
    check(
        "second_owner",
        "//- aam/src/db/mod.rs\npub fn insert() {\n    sqlx::query!(\"insert into accounts (id) values ($1)\", 1);\n    sqlx::query!(\"update accounts set id = $1\", 1);\n}\n\
         //- functions/dcl-query/src/views.rs\npub fn drop_all() {\n    sqlx::query(\"delete from accounts where id = $1\");\n}\n",
        "functions/dcl-query/src/views.rs:2:17: error[SL040] `dcl_query::views` writes the table `accounts`, which belongs to `aam`",
    );
}

#[test]
fn a_path_attribute_is_found() {
    check(
        "path_attribute",
        "//- functions/dcl-query/src/lib.rs\npub mod views;\n#[path = \"../../../aam/src/db/mod.rs\"]\nmod borrowed;\n",
        "functions/dcl-query/src/lib.rs:2:10: error[SL001] this module is taken from `../../../aam/src/db/mod.rs`",
    );
}

#[test]
fn a_path_out_of_the_workspace_is_found() {
    check(
        "escaping_path",
        "//- schema/Cargo.toml\n[package]\nname = \"schema\"\n[dependencies]\nhelper = { path = \"../../helper\" }\n",
        "schema/Cargo.toml:4:19: error[SL020] `../../helper` leads out of the workspace",
    );
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_workspace_is_followed() {
    let root = write(
        "escaping_link",
        &format!(
            "{WORKSPACE}//- schema/Cargo.toml\n[package]\nname = \"schema\"\n[dependencies]\nhelper = {{ path = \"../helper\" }}\n"
        ),
    );
    std::os::unix::fs::symlink(std::env::temp_dir(), root.join("helper")).unwrap();
    let (code, text) = run(&root, &["--format", "short"]);
    assert_eq!(
        (code, text.as_str()),
        (
            1,
            "schema/Cargo.toml:4:19: error[SL020] `../helper` leads out of the workspace\n"
        )
    );
}

#[test]
fn the_human_output_shows_the_place_the_reason_and_the_way() {
    let root = write(
        "human",
        &format!(
            "{WORKSPACE}//- schema/src/lib.rs uses aam\nuse aam::db::insert;\npub struct Account {{ pub id: u64 }}\n"
        ),
    );
    let (code, text) = run(&root, &[]);
    let expected = "\
error[SL010]: `schema` uses `aam::db`, which is a layer above it
 --> schema/src/lib.rs:1:5
  |
1 | use aam::db::insert;
  |     ^^^ `schema` may not use `aam`
 ::: structure-lint.toml:5:20
  |
5 | order = [\"schema\", \"aam\", \"functions\"]
  |                    ----- the order `workspace` puts `aam` above `schema`
  = help: move what both need to `schema` or below it, or pass it in
  = more: `structure-lint explain SL010`
";
    assert_eq!(code, 1);
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains(env!("CARGO_TARGET_TMPDIR")));
}

#[test]
fn json_is_versioned_and_has_no_absolute_path() {
    let root = write(
        "json",
        &format!("{WORKSPACE}//- schema/src/lib.rs\nmod gone;\n"),
    );
    let (code, text) = run(&root, &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["version"]), (1, &1.into()));
    assert_eq!(json["diagnostics"][0]["code"], "SL901");
    assert_eq!(json["diagnostics"][0]["place"]["line"], 1);
    assert!(!text.contains(env!("CARGO_TARGET_TMPDIR")));
}

#[test]
fn an_empty_folder_is_a_usage_error() {
    let root = write("empty", "");
    let (code, text) = run(&root, &["check", "."]);
    assert_eq!(code, 2);
    assert_eq!(
        text,
        "structure-lint: 0 files scanned: there is no `Cargo.toml` in `.`; name the folder of a package\n"
    );
}

#[test]
fn a_new_package_is_clean() {
    let root = write(
        "fresh",
        "//- Cargo.toml\n[package]\nname = \"fresh\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         //- src/main.rs\nfn main() {\n    println!(\"Hello, world!\");\n}\n",
    );
    assert_eq!(
        run(&root, &["--format", "short", "--deny-warnings"]),
        (0, String::new())
    );
}

#[test]
fn a_wrong_configuration_names_its_line() {
    let root = write(
        "bad_config",
        "//- structure-lint.toml\n[[layers]]\nname = \"x\"\nordre = []\n//- src/lib.rs\n",
    );
    let (code, text) = run(&root, &[]);
    assert_eq!(code, 2);
    assert!(
        text.starts_with("structure-lint: structure-lint.toml:3: unknown field `ordre`"),
        "{text}"
    );
}

#[test]
fn rules_explain_themselves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, text) = run(root, &["explain", "SL011"]);
    assert_eq!(
        (code, text.lines().next()),
        (0, Some("# SL011 independence"))
    );
    assert_eq!(run(root, &["explain", "nothing"]).0, 2);
    assert_eq!(
        run(root, &["list-rules"]).1.lines().count(),
        structure_lint::rules::RULES.len() + 2
    );
}

#[test]
fn cargo_finds_the_checker_as_a_subcommand() {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-structure-lint"))
        .args(["structure-lint", "explain", "path-module"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("# SL001 path-module")
    );
}

#[test]
fn the_readme_has_the_table_of_rules() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = structure_lint::cli::table();
    assert!(
        readme.contains(&table),
        "put the output of `structure-lint list-rules` into README.md:\n{table}"
    );
}

#[test]
fn a_sarif_fingerprint_does_not_change_when_the_line_does() {
    let result = |name: &str, source: &str| {
        let root = write(name, &format!("//- src/lib.rs\n{source}"));
        let (_, text) = run(&root, &["--format", "sarif"]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["runs"][0]["results"][0].clone()
    };
    let (before, after) = (
        result("sarif_a", "mod gone;"),
        result("sarif_b", "\n// more\nmod gone;"),
    );
    assert_eq!(before["ruleId"], "SL901");
    assert_eq!(before["partialFingerprints"], after["partialFingerprints"]);
    assert_ne!(before["locations"], after["locations"]);
}

/// A workspace with an error that has a note, and a warning.
fn with_findings(name: &str) -> PathBuf {
    write(
        name,
        &format!(
            "{WORKSPACE}//- schema/src/lib.rs uses aam\nuse aam::db::insert;\n/* <é> */ use self::super::x;\n"
        ),
    )
}

#[test]
fn several_outputs_are_written_at_once() {
    let root = with_findings("outputs");
    let (code, text) = run(
        &root,
        &["--output", "sarif=out.sarif", "--output", "github"],
    );
    assert_eq!(code, 1);
    assert!(
        text.contains("::error file=schema/src/lib.rs,line=1,col=5,endColumn=8,title=SL010::"),
        "{text}"
    );
    let sarif = fs::read_to_string(root.join("out.sarif")).unwrap();
    assert!(sarif.contains("\"2.1.0\""));
    let (code, text) = run(&root, &["--output", "short", "--output", "json"]);
    assert_eq!(code, 2);
    assert!(text.contains("would mix"), "{text}");
    let (code, text) = run(&root, &["--output", "xml"]);
    assert_eq!(code, 2);
    assert!(text.contains("no format `xml`: there are human"), "{text}");
    assert_eq!(run(&root, &["--output", "json=no/such/folder"]).0, 3);
}

#[test]
fn rustc_json_has_the_fields_that_editors_read() {
    let root = with_findings("rustc_json");
    let (_, text) = run(&root, &["--format", "rustc-json"]);
    let messages: Vec<serde_json::Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let last = messages.last().unwrap();
    assert_eq!(
        (&last["reason"], &last["success"]),
        (&"build-finished".into(), &false.into())
    );
    let keys = |it: &serde_json::Value| -> Vec<String> {
        it.as_object().unwrap().keys().cloned().collect()
    };
    let message = messages
        .iter()
        .find(|it| it["message"]["code"]["code"] == "SL004")
        .unwrap();
    assert_eq!(
        keys(message),
        ["manifest_path", "message", "package_id", "reason", "target"]
    );
    let message = &message["message"];
    assert_eq!(
        keys(message),
        [
            "$message_type",
            "children",
            "code",
            "level",
            "message",
            "rendered",
            "spans"
        ]
    );
    let span = &message["spans"][0];
    assert_eq!(
        keys(span),
        [
            "byte_end",
            "byte_start",
            "column_end",
            "column_start",
            "expansion",
            "file_name",
            "is_primary",
            "label",
            "line_end",
            "line_start",
            "suggested_replacement",
            "suggestion_applicability",
            "text"
        ]
    );
    let source = fs::read_to_string(root.join("schema/src/lib.rs")).unwrap();
    let bytes = |key: &str| span[key].as_u64().unwrap() as usize;
    assert_eq!(&source[bytes("byte_start")..bytes("byte_end")], "self");
    assert_eq!(span["column_start"], 15);
}

#[test]
fn xml_formats_escape_and_count() {
    let root = with_findings("xml");
    let (_, junit) = run(&root, &["--format", "junit"]);
    assert!(
        junit.contains(
            "<testsuite name=\"structure-lint\" tests=\"3\" failures=\"2\" skipped=\"1\""
        ),
        "{junit}"
    );
    assert_eq!(junit.matches("<testcase ").count(), 3);
    let (_, checkstyle) = run(&root, &["--format", "checkstyle"]);
    assert_eq!(checkstyle.matches("<error ").count(), 3, "{checkstyle}");
    assert_eq!(
        checkstyle.matches("<file ").count(),
        checkstyle.matches("</file>").count()
    );
    let (code, clean) = run(&write("xml_clean", WORKSPACE), &["--format", "junit"]);
    assert_eq!((code, clean.matches("tests=\"1\"").count()), (0, 2));
}

/// What SARIF 2.1.0 asks of the parts that are written.
#[test]
fn sarif_has_what_its_schema_requires() {
    let (_, text) = run(&with_findings("sarif"), &["--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(run["tool"]["driver"]["name"].is_string());
    for rule in rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["none", "note", "warning", "error"].contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let mut fingerprints = std::collections::BTreeSet::new();
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        assert!(["warning", "error"].contains(&result["level"].as_str().unwrap()));
        assert!(fingerprints.insert(result["partialFingerprints"].to_string()));
        let related = result["relatedLocations"].as_array().unwrap().iter();
        for location in result["locations"]
            .as_array()
            .unwrap()
            .iter()
            .chain(related)
        {
            let physical = &location["physicalLocation"];
            let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.starts_with('/') && !uri.contains(['\\', ' ']));
            let region = &physical["region"];
            let number = |key: &str| region[key].as_u64().unwrap();
            assert!(number("startLine") >= 1 && number("startColumn") >= 1);
            assert!(number("endColumn") > number("startColumn"));
        }
    }
}
