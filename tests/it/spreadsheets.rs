//! Files as spreadsheets and other countries' systems write them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::{multipart_form, send_form, upload_files};

async fn set_up(config: Value) -> (TestApp, Person) {
    let app = TestApp::start().await;
    let person = app.register("Sheets Ltd").await;
    connect_filesource(&app, &person, config).await;
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
    let answer = send_form(
        &app,
        &person,
        multipart_form(&[("accounts_a.csv", JAPANESE)]),
    )
    .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    let text = answer.to_string();
    assert!(text.contains("which encoding is it? Set"), "{text}");
    assert!(names(&app, &person).await.is_empty());
}

#[tokio::test]
async fn an_encoding_that_is_named_is_read() {
    let (app, person) = set_up(json!({ "encoding": "Shift_JIS" })).await;
    let answer = upload_files(&app, &person, &[("accounts_a.csv", JAPANESE)]).await;
    assert_eq!(answer["files"][0]["encoding"], "Shift_JIS");
    assert_eq!(names(&app, &person).await, ["日本商事"]);
}

#[tokio::test]
async fn what_a_spreadsheet_adds_is_read_with_a_warning() {
    let (app, person) = set_up(json!({})).await;
    let plain: (&str, &[u8]) = ("accounts_a.csv", b"account_id,name\n1,Acme\n");
    upload_files(&app, &person, &[plain]).await;
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
        let answer = upload_files(&app, &person, &[("accounts_a.csv", file)]).await;
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
    let answer = send_form(&app, &person, multipart_form(&[("accounts_a.csv", book)])).await;
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
    let answer = upload_files(&app, &person, &[("accounts_salesforce.csv", file)]).await;
    assert_eq!(answer["total"]["written"], 6, "{answer}");
    let path = "/api/v1/dcl/views/accounts?sort=account_id";
    let list = app.get(path, &person).await.json();
    let rows = list["data"].as_array().unwrap().iter();
    let found: Vec<_> = rows.map(|it| it["status"].as_str().unwrap()).collect();
    let expected = ["active", "active", "inactive", "active", "active", "paused"];
    assert_eq!(found, expected);
}

/// The drift that each of the files brings, one after the other: `severity kind path`.
async fn drifts(app: &TestApp, person: &Person, files: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let answer = upload_files(app, person, &[("accounts_test.csv", file)]).await;
        let drift = &answer["files"][0]["drift"];
        let changes = drift["changes"].as_array();
        let changes = changes.map(|it| {
            let change = |it: &Value| format!("{} {} {}", it["severity"], it["kind"], it["path"]);
            it.iter().map(change).collect::<Vec<_>>().join(", ")
        });
        found.push(changes.unwrap_or_default().replace('"', ""));
    }
    found
}

#[tokio::test]
async fn letters_after_digits_in_a_text_are_no_alarm() {
    let (app, person) = set_up(json!({})).await;
    let files: [&[u8]; 3] = [
        b"account_id,name,notes\n1,2024,7\n",
        b"account_id,name,notes\nA1,Acme,x\n",
        b"account_id,name,notes\n2,7,8\n",
    ];
    let found = drifts(&app, &person, &files).await;
    let low = "low retyped account_id, low retyped name, low retyped notes";
    assert_eq!(found, ["", low, ""]);
}

#[tokio::test]
async fn letters_after_dates_in_a_timestamp_are_an_alarm() {
    let (app, person) = set_up(json!({})).await;
    let files: [&[u8]; 2] = [
        b"account_id,name,updated_at\n1,A,2026-01-01\n",
        b"account_id,name,updated_at\n1,B,2026-01-02\n2,B,soon\n",
    ];
    let found = drifts(&app, &person, &files).await;
    assert_eq!(found, ["", "high retyped updated_at"]);
}

#[tokio::test]
async fn a_file_without_rows_teaches_no_types() {
    let (app, person) = set_up(json!({})).await;
    let files: [&[u8]; 5] = [
        b"account_id,name\n",
        b"account_id,name\n1,Acme\n",
        b"account_id,name\n",
        b"account_id,name,industry\n",
        b"account_id,name,industry\n1,Acme,Law\n",
    ];
    let found = drifts(&app, &person, &files).await;
    assert_eq!(found, ["", "", "", "", "low added industry"]);
}

#[tokio::test]
async fn a_misread_file_moves_no_schema() {
    let (app, person) = set_up(json!({})).await;
    let files: [&[u8]; 6] = [
        b"Accounts of today\naccount_id,name\n1,Acme\n",
        b"account_id,name\n1,Acme\n",
        b"Accounts of today\naccount_id,name\n1,Acme\n",
        b"1,Acme\n2,Birch\n",
        b"account_id~name\n1~Acme\n",
        b"account_id,name,updated_at\n,7,x\n",
    ];
    let found = drifts(&app, &person, &files).await;
    assert_eq!(found, ["", "", "", "", "", ""]);
}

#[tokio::test]
async fn a_renamed_id_is_an_alarm_though_no_row_is_taken() {
    let (app, person) = set_up(json!({})).await;
    let files: [&[u8]; 2] = [
        b"account_id,name\n1,Acme\n",
        b"account_number,name\n1,Acme\n",
    ];
    let found = drifts(&app, &person, &files).await;
    assert_eq!(
        found,
        ["", "critical removed account_id, low added account_number"]
    );
}

/// The amounts that are stored, and what is said of the file.
async fn amounts(app: &TestApp, person: &Person, file: &str) -> (Vec<Value>, Value) {
    let body = multipart_form(&[("opportunities_test.csv", file.as_bytes())]);
    let answer = send_form(app, person, body).await.json();
    let path = "/api/v1/dcl/views/opportunities?sort=opportunity_id";
    let list = app.get(path, person).await.json();
    let rows = list["data"].as_array().unwrap().iter();
    (rows.map(|it| it["amount"].clone()).collect(), answer)
}

#[tokio::test]
async fn numbers_that_a_column_writes_in_two_ways_are_quarantined() {
    let (app, person) = set_up(json!({})).await;
    let file = "opportunity_id;name;amount\n1;1.234;1.234\n2;B;1.234,50\n3;C;99\n";
    let (found, answer) = amounts(&app, &person, file).await;
    assert_eq!(answer["total"]["quarantined"], 2, "{answer}");
    assert_eq!(found.len(), 1, "{found:?}");
    let file = "opportunity_id;name;amount\n1;1.234;1.234\n2;1.234,50;12.5\n3;C;99\n";
    let (found, answer) = amounts(&app, &person, file).await;
    assert_eq!(answer["total"]["quarantined"], 0, "{answer}");
    assert_eq!(found.len(), 3, "{found:?}");
}

#[tokio::test]
async fn a_file_ends_where_numbers_that_were_stored_turn_out_doubtful() {
    let (app, person) = set_up(json!({})).await;
    let rows: String = (0..600).map(|it| format!("{it};A;1.234\n")).collect();
    let file = format!("opportunity_id;name;amount\n{rows}x;B;1.234,50\n");
    let (_, answer) = amounts(&app, &person, &file).await;
    let text = answer.to_string();
    assert!(text.contains("writes numbers in two ways"), "{text}");
    assert!(text.contains("on line 602"), "{text}");
}
