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

#[tokio::test]
async fn what_a_spreadsheet_adds_is_read_and_said() {
    let (app, person) = set_up(json!({})).await;
    let plain: (&str, &[u8]) = ("accounts_a.csv", b"account_id,name\n1,Acme\n");
    upload(&app, &person, &[plain]).await;
    for (file, expected) in [
        (
            &b"sep=;\r\naccount_id;name\r\n1;Acme\r\n"[..],
            json!(["the first line names the delimiter ';'"]),
        ),
        (
            b"account_id,name\n1,Acme,\n",
            json!(["empty cells behind the last column were left out of 1 row"]),
        ),
        (b"account_id,name,\n1,Acme,\n", json!([])),
        (
            b"account_id,name\n1, \"Acme\"\n",
            json!(["spaces before a quote were left out of 1 row"]),
        ),
    ] {
        let answer = upload(&app, &person, &[("accounts_a.csv", file)]).await;
        let file = &answer["files"][0];
        assert_eq!(file["warnings"], expected);
        assert_eq!(
            (&file["unchanged"], &file["drift"]),
            (&json!(1), &Value::Null)
        );
    }
    assert_eq!(names(&app, &person).await, ["Acme"]);
}

#[tokio::test]
async fn a_workbook_named_csv_says_what_it_is() {
    let (app, person) = set_up(json!({})).await;
    let book = b"PK\x03\x04\x14\0\x06\0[Content_Types].xml\0xl/workbook.xml";
    let answer = send(&app, &person, form(&[("accounts_a.csv", book)])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let text = answer.to_string();
    assert!(
        text.contains("Excel workbook (.xlsx)") && text.contains("CSV UTF-8"),
        "{text}"
    );
}

#[tokio::test]
async fn booleans_are_read_in_the_spellings_of_spreadsheets() {
    let (app, person) = set_up(json!({})).await;
    let file = b"Id,Name,IsActive\n1,A,true\n2,B,TRUE\n3,C,FALSCH\n4,D,1\n5,E,VRAI\n6,F,paused\n";
    let answer = upload(&app, &person, &[("accounts_salesforce.csv", file)]).await;
    assert_eq!(answer["total"]["written"], 6, "{answer}");
    let path = "/api/v1/dcl/views/accounts?sort=account_id";
    let list = app.get(path, &person).await.json();
    let rows = list["data"].as_array().unwrap().iter();
    let found: Vec<_> = rows.map(|it| it["status"].as_str().unwrap()).collect();
    let expected = ["active", "active", "inactive", "active", "active", "paused"];
    assert_eq!(found, expected);
}
