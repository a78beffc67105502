//! How runs end: where everything or something was quarantined, nothing calls it a success.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::{CONNECTIONS, connect_filesource, latest_run};
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::finish_job;
use tests::fixtures::json::pick;
use tests::fixtures::mappings::insert_account_mapping;
use tests::fixtures::postgres_source::{
    ACCOUNTS_TABLE, accounts_object, set_up_postgres_source, sync,
};

const FOREIGN: (&str, &[u8]) = (
    "accounts_crm.csv",
    b"Record ID,Company name\n1,One\n2,Two\n",
);
const MIXED: (&str, &[u8]) = ("accounts_crm.csv", b"account_id,name\n1,One\n2,\n");
const GOOD: (&str, &[u8]) = ("accounts_crm.csv", b"account_id,name\n1,One\n2,Two\n");

/// The connection's status, what a check says of it, and its status after that.
async fn condition(app: &TestApp, person: &Person, id: &str) -> (String, Value) {
    let path = format!("{CONNECTIONS}/{id}");
    let before = pick(&app.get(&path, person).await.json(), "status");
    let check = app
        .post(&format!("{path}/health-check"), person, json!({}))
        .await;
    assert_eq!(check.status, StatusCode::OK, "{check}");
    let check = check.json();
    let summary = format!("{before} {}", pick(&check, "status connection_status"));
    (summary, check)
}

#[tokio::test]
async fn an_upload_of_which_every_row_is_quarantined_has_failed() {
    let app = TestApp::start().await;
    let person = app.register("Acme").await;
    let id = connect_filesource(&app, &person, json!({})).await;

    // From here on the object has its mapping.
    upload_files(&app, &person, &[GOOD]).await;
    let report = upload_files(&app, &person, &[FOREIGN]).await;
    assert_eq!(pick(&report, "status files/0/status"), "failed failed");
    let found = &report["files"][0]["first_rejection"];
    assert_eq!(pick(found, "field reason"), "account_id missing");
    assert_eq!(
        found["present_fields"],
        json!(["Record ID", "Company name"])
    );
    let expected = found["expected_fields"].as_array().unwrap();
    assert_eq!(expected[..2], [json!("account_id"), json!("name")]);

    let run = latest_run(&app, &person, &id).await;
    assert_eq!(
        pick(&run, "status first_rejection/reason"),
        "failed missing"
    );
    let error = pick(&run, "error");
    let sentence = "none of the 2 records fits, the first because account_id: missing; the mapping \
                    looks for `account_id`, `name`";
    assert!(error.starts_with(sentence), "{error}");
    assert!(
        error.contains("the record has `Record ID`, `Company name`"),
        "{error}"
    );
    assert_eq!(report["files"][0]["error"], run["error"]);

    let (summary, check) = condition(&app, &person, &id).await;
    assert_eq!(summary, "HEALING degraded HEALING", "{check}");
    assert_eq!(check["first_rejection"], *found);

    // The same object, as it should be.
    let report = upload_files(&app, &person, &[GOOD]).await;
    assert_eq!(pick(&report, "status files/0/status"), "success success");
    assert_eq!(report["files"][0]["first_rejection"], Value::Null);
    let (summary, check) = condition(&app, &person, &id).await;
    assert_eq!(summary, "ACTIVE healthy ACTIVE", "{check}");
}

#[tokio::test]
async fn an_upload_of_which_some_rows_are_quarantined_is_partial() {
    let app = TestApp::start().await;
    let person = app.register("Acme").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    let report = upload_files(&app, &person, &[MIXED]).await;
    assert_eq!(pick(&report, "status files/0/status"), "partial partial");
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(
        pick(&run, "status first_rejection/field first_rejection/reason"),
        "partial name missing"
    );
    assert_eq!(run["error"], Value::Null);
    let (summary, check) = condition(&app, &person, &id).await;
    assert_eq!(summary, "ACTIVE degraded ACTIVE", "{check}");
    let overview = app.get("/api/v1/aam/connectors", &person).await.json();
    assert_eq!(
        pick(
            &overview,
            "connectors/0/last_event_type connectors/0/last_sync_status"
        ),
        "sync_partial partial"
    );
}

#[tokio::test]
async fn what_is_wrong_with_one_object_is_not_hidden_by_another() {
    let app = TestApp::start().await;
    let person = app.register("Acme").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    let contacts = (
        "contacts_crm.csv",
        &b"contact_id,email\n1,a@b.example\n"[..],
    );
    upload_files(&app, &person, &[GOOD]).await;
    let report = upload_files(&app, &person, &[FOREIGN, contacts]).await;
    assert_eq!(
        pick(&report, "status files/0/status files/1/status"),
        "partial failed success"
    );
    let (summary, check) = condition(&app, &person, &id).await;
    assert_eq!(summary, "HEALING degraded HEALING", "{check}");
}

#[tokio::test]
async fn a_sync_of_which_every_row_is_quarantined_has_failed() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    sync(&app, &person, &id, json!({})).await;
    source
        .run("alter table accounts rename column name to title")
        .await;
    let done = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(done["status"], "failed", "{done}");
    let error = pick(&done, "error");
    assert!(
        error.starts_with(
            "public.accounts: none of the 1200 records fits, the first because name: missing"
        ),
        "{error}"
    );
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(pick(&run, "status quarantined"), "failed 1200");
    let (summary, check) = condition(&app, &person, &id).await;
    assert_eq!(&summary[..7], "HEALING", "{check}");
    assert_ne!(check["status"], "healthy", "{check}");

    source
        .run("alter table accounts rename column title to name")
        .await;
    let full = sync(&app, &person, &id, json!({ "mode": "full" })).await;
    assert_eq!(pick(&full, "status result/status"), "success success");
}

#[tokio::test]
async fn a_sync_of_which_some_rows_are_quarantined_is_partial() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    source
        .run("alter table accounts alter column name drop not null")
        .await;
    source
        .run("update accounts set name = null where account_id = '0007'")
        .await;
    let done = sync(&app, &person, &id, json!({})).await;
    assert_eq!(pick(&done, "status result/status"), "success partial");
    let run = latest_run(&app, &person, &id).await;
    assert_eq!(pick(&run, "status quarantined"), "partial 1");
}

#[tokio::test]
async fn a_replay_that_frees_nothing_has_failed() {
    let app = TestApp::start().await;
    let person = app.register("Acme").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    upload_files(&app, &person, &[GOOD]).await;
    upload_files(&app, &person, &[FOREIGN]).await;
    let path = format!("{CONNECTIONS}/{id}/quarantine/replay");
    let answer = app.post(&path, &person, json!({})).await;
    let done = finish_job(&app, &person, answer).await;
    assert_eq!(done["status"], "failed", "{done}");
    let error = pick(&done, "error");
    assert!(
        error.starts_with("crm.account: none of the 2 records fits"),
        "{error}"
    );
    assert_eq!(
        pick(&latest_run(&app, &person, &id).await, "kind status"),
        "replay failed"
    );

    // Half of it fits by a mapping that takes the columns that are there.
    upload_files(
        &app,
        &person,
        &[("accounts_crm.csv", b"account_id,title\n1,One\n2,\n")],
    )
    .await;
    insert_account_mapping(&app, 2, "title").await;
    let answer = app.post(&path, &person, json!({})).await;
    let done = finish_job(&app, &person, answer).await;
    assert_eq!(
        pick(&done, "status result/status result/written"),
        "success partial 1"
    );
}

#[tokio::test]
async fn a_request_of_which_every_event_is_rejected_is_refused() {
    let app = TestApp::start().await;
    let person = app.register("Acme").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    let event = |data: Value| {
        json!({
            "source": { "system": "crm", "connection_id": id },
            "entity": "account", "op": "upsert", "data": data,
        })
    };
    for (body, pointers) in [
        (json!({}), vec!["/source"]),
        (json!([17, { "data": {} }]), vec!["/0", "/1/source"]),
    ] {
        let answer = app.post("/api/v1/events", &person, body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let errors = answer.json()["errors"].clone();
        let found: Vec<_> = errors
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["pointer"])
            .collect();
        assert_eq!(found, pointers, "{answer}");
        assert!(
            pick(&errors[0], "detail").starts_with("not an event"),
            "{answer}"
        );
    }
    // One that is kept, and one that is written: the answer says what became of each.
    let kept = event(json!({ "account_id": "1" }));
    let good = event(json!({ "account_id": "2", "name": "Two" }));
    for (body, counts) in [
        (json!([kept.clone()]), "1 0"),
        (json!([17, kept]), "1 1"),
        (json!([17, good]), "0 1"),
        (json!([]), "0 0"),
    ] {
        let answer = app.post("/api/v1/events", &person, body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer}");
        assert_eq!(pick(&answer.json(), "quarantined rejected"), counts);
    }
    // A run of events that are all quarantined is no success either.
    let runs = app
        .get(&format!("{CONNECTIONS}/{id}/runs"), &person)
        .await
        .json();
    let found: Vec<_> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["status"])
        .collect();
    assert_eq!(found, ["success", "failed", "failed"], "{runs}");
}
