//! Pulling from a PostgreSQL: what a connection says, and what comes over it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Answer, Person, TestApp};
use tests::source::Source;

const PATH: &str = "/api/v1/aam/connections";

pub(crate) const ACCOUNTS: &str = "
    create table accounts (
      account_id text primary key, name text, industry text, updated_at timestamptz);
    insert into accounts
    select to_char(n, 'FM0000'), 'Account ' || n, 'Rockets', '2026-01-01'::timestamptz + n * interval '1 hour'
    from generate_series(1, 1200) n;
";

pub(crate) fn accounts() -> Value {
    json!([{ "table": "accounts", "entity": "account" }])
}

pub(crate) fn new(config: Value) -> Value {
    json!({ "name": "CRM", "source_type": "supabase", "connector_config": config })
}

pub(crate) async fn connect(app: &TestApp, person: &Person, config: Value) -> String {
    let made = app.post(PATH, person, new(config)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    assert_eq!(made.json()["status"], "ACTIVE");
    made.json()["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn sync(app: &TestApp, person: &Person, id: &str, body: Value) -> Value {
    let answer = app.post(&format!("{PATH}/{id}/sync"), person, body).await;
    finished(app, person, answer).await
}

/// The job that an answer tells of, once nothing is left to do.
pub(crate) async fn finished(app: &TestApp, person: &Person, answer: Answer) -> Value {
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
    let answer = answer.json();
    while aam_connect::worker::step(&app.platform).await.unwrap() {}
    let job = answer["job_id"].as_str().unwrap();
    app.get(&format!("/api/v1/tasks/{job}"), person)
        .await
        .json()
}

#[tokio::test]
async fn a_first_sync_brings_every_row_into_the_view() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS).await);
    let person = app.register("Pull Ltd").await;
    let id = connect(&app, &person, source.config(accounts())).await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(done["status"], "success", "{done}");
    assert_eq!(
        (&done["result"]["rows_read"], &done["result"]["written"]),
        (&json!(1200), &json!(1200))
    );

    let view = app
        .get(
            "/api/v1/dcl/views/accounts?limit=1&sort=account_id",
            &person,
        )
        .await
        .json();
    assert_eq!(view["meta"]["total"], 1200, "{view}");
    assert_eq!(view["data"][0]["name"], "Account 1", "{view}");
    let runs = app.get(&format!("{PATH}/{id}/runs"), &person).await.json();
    let run = &runs["runs"][0];
    assert_eq!(
        (&runs["total"], &run["kind"], &run["status"], &run["object"]),
        (
            &json!(1),
            &json!("sync"),
            &json!("success"),
            &json!("public.accounts")
        )
    );
    assert_eq!(run["cursor"], "2026-02-20 00:00:00+00", "{run}");
    assert!(run["bytes"].as_i64().unwrap() > 1200 * 80, "{run}");
}
