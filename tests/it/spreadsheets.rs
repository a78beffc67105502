//! Files as spreadsheets and other countries' systems write them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Person, TestApp};

use crate::filesource::{connect, form, send, upload};

async fn set_up(config: Value) -> (TestApp, Person) {
    let app = TestApp::start().await;
    let person = app.register("Sheets Ltd").await;
    connect(&app, &person, config).await;
    (app, person)
}

/// The names of all accounts.
async fn names(app: &TestApp, person: &Person) -> Vec<Value> {
    let list = app.get("/api/v1/dcl/views/accounts", person).await.json();
    let rows = list["data"].as_array().unwrap().iter();
    rows.map(|it| it["name"].clone()).collect()
}

const JAPANESE: &[u8] = b"account_id,name\n2,\x93\xfa\x96{\x8f\xa4\x8e\x96\n";

#[tokio::test]
async fn a_file_of_unknown_encoding_is_asked_about() {
    let (app, person) = set_up(json!({})).await;
    let answer = send(&app, &person, form(&[("accounts_a.csv", JAPANESE)])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let text = answer.to_string();
    assert!(text.contains("which encoding is it? Set"), "{text}");
    assert!(names(&app, &person).await.is_empty());
}

#[tokio::test]
async fn an_encoding_that_is_named_is_read() {
    let (app, person) = set_up(json!({ "encoding": "Shift_JIS" })).await;
    let answer = upload(&app, &person, &[("accounts_a.csv", JAPANESE)]).await;
    assert_eq!(answer["files"][0]["encoding"], "Shift_JIS");
    assert_eq!(names(&app, &person).await, ["日本商事"]);
}
