//! Back to the release before: its tables have been brought further by the one that is left.

use std::fs;
use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use sqlx::migrate::Migrator;
use tests::app::{Setup, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::upload_files;
use tests::postgres::{TestDatabase, database};
use uuid::Uuid;

/// The last migration whose name does not say what it does to the release before.
const LAST_UNSAID: u32 = 29;

/// Deploys what the release after this one would: one more migration.
async fn deploy_next(database: &TestDatabase, file: &str, sql: &str) {
    let folder = std::env::temp_dir().join(Uuid::now_v7().to_string());
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(file), sql).unwrap();
    let mut migrator = Migrator::new(folder.as_path()).await.unwrap();
    migrator.set_ignore_missing(true);
    migrator.run(&database.pool()).await.unwrap();
    fs::remove_dir_all(&folder).unwrap();
}

/// Deploys this release, as CloudFormation has it done.
async fn deploy(database: &TestDatabase) -> Result<(), String> {
    let request = json!({
        "RequestType": "Update",
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:migrate",
        "ResponseURL": "https://answers.example/one",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/autonomos/guid",
        "RequestId": "b1c2",
        "ResourceType": "Custom::Tables",
        "LogicalResourceId": "Tables",
        "PhysicalResourceId": "tables",
        "ResourceProperties": { "ServiceToken": "arn", "Version": "1" },
        "OldResourceProperties": { "ServiceToken": "arn", "Version": "2" },
    });
    let request = serde_json::from_value(request).unwrap();
    let time = Duration::from_secs(60);
    let end = migrate::handle(&request, database.options().into(), &[], time).await;
    end.map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn this_release_works_after_the_next_one_that_only_added() {
    const NEXT: &str = "
        alter table accounts add column remembered text not null default 'nothing';
        create table memories (
          tenant_id uuid not null,
          id uuid not null,
          constraint memories_pkey primary key (tenant_id, id)
        );
        call protect('memories');";
    let database = database().await;
    deploy(&database).await.unwrap();
    deploy_next(&database, "9001_expand_remember_more.sql", NEXT).await;
    deploy(&database).await.unwrap();

    let login = database.login();
    let app = TestApp::over(database, login, Setup::default()).await;
    let ann = app.register("Ann Ltd").await;
    connect_filesource(&app, &ann, json!({})).await;
    let file: &[u8] = b"id,name\n1,Acme\n2,Bolt\n";
    upload_files(&app, &ann, &[("accounts_hubspot.csv", file)]).await;
    let seen = app.get("/api/v1/dcl/views/accounts", &ann).await.json();
    assert_eq!(seen["meta"]["total"], 2, "{seen}");
    let deleted = app.delete("/api/v1/auth/tenant?name=Ann%20Ltd", &ann).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted}");

    // And forward again.
    deploy_next(app.database(), "9002_expand_remember_all.sql", "select 1").await;
    deploy(app.database()).await.unwrap();
}

#[tokio::test]
async fn this_release_refuses_tables_that_have_less_than_it_needs() {
    let less = "alter table accounts drop column industry";
    let cases = [
        ("9001_contract_forget.sql", "`9001 contract forget` took"),
        ("9001_forget.sql", "`9001 forget` took away what this one"),
        // It says that it expands, but of which tables?
        (
            "0018_expand_lost.sql",
            "`0018 expand lost`, which this release never had",
        ),
    ];
    for (file, expected) in cases {
        let database = database().await;
        deploy_next(&database, file, less).await;
        let said = deploy(&database).await.unwrap_err();
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("run the "), "what to do: {said}");
    }
}

#[test]
fn each_migration_says_whether_the_release_before_can_go_on() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let files = entries.filter(|it| it.extension().is_some_and(|it| it == "sql"));
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let (number, what) = name.split_once('_').unwrap();
        if number.parse::<u32>().unwrap() <= LAST_UNSAID || what.starts_with("contract_") {
            continue;
        }
        let sql = fs::read_to_string(&file).unwrap();
        match (what.starts_with("expand_"), takes_away(&sql)) {
            (false, _) => wrong.push(format!("{name}: call it {number}_expand_… or _contract_…")),
            (true, Some(statement)) => wrong.push(format!("{name} takes away: {statement}")),
            (true, None) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The first statement that takes something away from whoever knows only what was there before.
fn takes_away(sql: &str) -> Option<String> {
    let code = sql
        .lines()
        .map(|it| it.split("--").next().unwrap_or_default());
    let code = code.collect::<Vec<_>>().join(" ").to_lowercase();
    let statements = code.split(';').map(|it| {
        let words: Vec<_> = it.split_whitespace().collect();
        words.join(" ")
    });
    let mut made: Vec<String> = Vec::new();
    for statement in statements {
        if let Some(rest) = statement.strip_prefix("create table ") {
            made.extend(rest.split(' ').next().map(str::to_owned));
        }
        let drops = ["table", "column", "function", "procedure", "view", "role"]
            .iter()
            .any(|it| statement.contains(&format!("drop {it} ")));
        let narrows = ["set not null", " rename ", " type ", "force row level"]
            .iter()
            .any(|it| statement.starts_with("alter table") && statement.contains(it));
        let demands = statement.contains("add column")
            && statement.contains("not null")
            && !statement.contains("default");
        // Of what is new here, or of what everybody could do, nobody made use.
        let revokes = statement.starts_with("revoke ")
            && !statement.ends_with("from public")
            && !made
                .iter()
                .any(|it| statement.contains(&format!(" on {it} ")));
        if drops || narrows || demands || revokes {
            return Some(statement);
        }
    }
    None
}

#[test]
fn what_takes_away_is_told_from_what_adds() {
    let check =
        |sql: &str, expected: bool| assert_eq!(takes_away(sql).is_some(), expected, "{sql}");
    check("alter table accounts add column a text", false);
    check("create table t (a text);\n-- drop table accounts;", false);
    check("create table t (a text); revoke all on t from app", false);
    check("revoke all on function f() from public", false);
    check(
        "alter table t drop constraint a, add constraint a check (true)",
        false,
    );
    check("revoke all on accounts from autonomos_app", true);
    check("alter table accounts\n  drop column name", true);
    check("alter table accounts alter column name set not null", true);
    check("alter table accounts add column a text not null", true);
    check("alter table accounts rename to companies", true);
    check("select 1;\ndrop function f();", true);
}
