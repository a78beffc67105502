//! The runbook "Restore a dump", followed line by line.

use std::path::Path;
use std::process::{Command, Output};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::installation::{Client, Foreign, Installation, binaries, complaint};

/// The commands of the section.
fn runbook() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, section) = readme.split_once("## Restore a dump\n").unwrap();
    let (_, commands) = section.split_once("```sh\n").unwrap();
    commands.split_once("```").unwrap().0.to_owned()
}

/// Runs commands in a folder, with the old and the new database in their variables.
fn run(commands: &str, folder: &Path, old: &str, new: &str) -> Output {
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-e", "-c", commands])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", binaries().folder().display()))
        .env("OLD", old)
        .env("NEW", new)
        .output()
        .unwrap()
}

async fn start_with_rows(place: &Installation, database: &Foreign) -> String {
    let url = database.url();
    let mut process = place.start_with(&[("DATABASE_URL", &url)]);
    let client = Client::sign_in(&process.base).await;
    let connection = client.connect().await;
    let file = "account_id,name,industry\n1,Acme,Steel\n2,Bolt,Software\n";
    client.upload(&connection, file.to_owned()).await.unwrap();
    assert!(process.signal("INT").success());
    connection
}

#[tokio::test]
async fn a_dump_and_its_keys_are_restored_as_the_runbook_says() {
    let (place, old, new) = (Installation::new(), Foreign::start(), Foreign::start());
    let connection = start_with_rows(&place, &old).await;
    let output = run(&runbook(), &place.dev, &old.url(), &new.url());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");

    let elsewhere = Installation::new();
    let url = new.url();
    let variables = [("DATABASE_URL", url.as_str())];
    let mut command = elsewhere.command();
    let said = complaint(command.arg("demo").envs(variables).output().unwrap());
    assert!(said.contains("put the lost file back"), "{said}");
    let keys = |place: &Installation| place.dev.join("secrets.json");
    std::fs::copy(keys(&place), keys(&elsewhere)).unwrap();

    let process = elsewhere.start_with(&variables);
    let client = Client::sign_in(&process.base).await;
    let view = client.get("/api/v1/dcl/views/accounts").await;
    assert_eq!(view["meta"]["total"], 2, "{view}");
    assert_eq!(client.change().await, 201);
    let file = "account_id,name,industry\n1,Acme,Steel\n3,Cog,Steel\n";
    let answer = client.upload(&connection, file.to_owned()).await.unwrap();
    assert_eq!(answer["total"]["unchanged"], 1, "{answer}");
    assert_eq!(answer["total"]["written"], 1, "{answer}");
    let verdict = client.get("/api/v1/admin/audit/verify").await;
    assert_eq!(verdict["intact"], true, "{verdict}");
}

#[tokio::test]
async fn the_owner_of_the_tables_cannot_take_a_dump_without_rows_for_one_with_them() {
    let (place, old) = (Installation::new(), Foreign::start());
    let options = old.server.options().unwrap();
    let mut conn = PgConnection::connect_with(&options).await.unwrap();
    let sql = "create role ann login createrole; alter schema public owner to ann";
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut conn)
        .await
        .unwrap();
    let url = old.server.url_of("ann").unwrap();
    let mut process = place.start_with(&[("DATABASE_URL", &url)]);
    Client::sign_in(&process.base).await.connect().await;
    assert!(process.signal("INT").success());

    let dump = runbook().lines().next().unwrap().to_owned();
    let said = complaint(run(&dump, &place.dev, &url, ""));
    assert!(said.contains("row-level security"), "{said}");
}
