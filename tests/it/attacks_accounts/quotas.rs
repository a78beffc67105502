//! Nobody gets more than their share by having more keys, or by storing more.

use axum::http::StatusCode;
use platform::limit::{Limits, quota};
use serde_json::{Value, json};
use tests::app::{Answer, Person, Setup, TestApp};
use tests::fixtures::connections::{CONNECTIONS, connect_filesource, latest_run};
use tests::fixtures::events::MessageSender;
use tests::fixtures::files::{multipart_form, send_form, upload_files};
use tests::fixtures::jobs::run_schedule;
use tests::fixtures::postgres_source::{
    ACCOUNTS_TABLE, accounts_object, set_up_postgres_source, sync,
};
use tests::fixtures::users::{ME, create_api_key, join, key_holder};

#[tokio::test]
async fn no_number_of_keys_makes_a_person_faster() {
    let limits = Limits {
        reads: quota(1, 3),
        ..Setup::default().limits
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    let mut callers = vec![ada.clone()];
    for _ in 0..4 {
        callers.push(key_holder(&create_api_key(&app, &ada, &["read"]).await));
    }
    let mut statuses = vec![];
    for caller in &callers {
        statuses.push(app.get(ME, caller).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let other = key_holder(&create_api_key(&app, &bob, &["read"]).await);
    assert_eq!(app.get(ME, &other).await.status, StatusCode::OK);
}

async fn limit_storage(app: &TestApp, person: &Person, bytes: Option<i64>, records: Option<i64>) {
    sqlx::query("call limit_storage($1, $2, $3)")
        .bind(person.tenant)
        .bind(bytes)
        .bind(records)
        .execute(app.owner())
        .await
        .unwrap();
}

async fn storage(app: &TestApp, person: &Person) -> Value {
    let answer = app.get("/api/v1/aam/storage", person).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()
}

/// What is stored, counted row by row.
async fn counted(app: &TestApp, person: &Person) -> (i64, i64) {
    sqlx::query_as(
        "select coalesce(sum(octet_length(payload)), 0)::bigint, count(*) from (
           select tenant_id, payload from raw_records
           union all select tenant_id, payload from quarantined_records) stored
         where tenant_id = $1",
    )
    .bind(person.tenant)
    .fetch_one(app.owner())
    .await
    .unwrap()
}

#[track_caller]
fn check_full(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::INSUFFICIENT_STORAGE, "{answer}");
    assert_eq!(answer.problem()["code"], "storage_full");
    assert!(answer.detail().contains("delete"), "{answer}");
}

fn accounts(from: usize, to: usize) -> Vec<u8> {
    let rows = (from..to).map(|it| format!("{it:05},Account {it}\n"));
    ["account_id,name\n".to_owned()]
        .into_iter()
        .chain(rows)
        .collect::<String>()
        .into_bytes()
}

#[tokio::test]
async fn what_is_stored_is_reported_as_it_is() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    let id = connect_filesource(&app, &ada, json!({})).await;
    let check = async || {
        let (bytes, records) = counted(&app, &ada).await;
        let found = storage(&app, &ada).await;
        assert_eq!(
            (&found["bytes"]["used"], &found["records"]["used"]),
            (&json!(bytes), &json!(records))
        );
        records
    };
    assert_eq!(check().await, 0);
    upload_files(&app, &ada, &[("accounts_crm.csv", &accounts(0, 700))]).await;
    // One that is quarantined, one that changes, and those that stay.
    let changed = b"account_id,name\n00001,Another name\n00002,Account 2\n,Nobody\n";
    upload_files(&app, &ada, &[("accounts_crm.csv", changed)]).await;
    assert_eq!(check().await, 701);
    // However the parts of it are joined.
    run_schedule(&app, "sweep").await;
    assert_eq!(check().await, 701);
    assert_eq!(storage(&app, &eve).await["records"]["used"], 0);
    let deleted = app.delete(&format!("{CONNECTIONS}/{id}"), &ada).await;
    assert!(deleted.status.is_success(), "{deleted}");
    check().await;
}

#[tokio::test]
async fn a_full_tenant_uploads_nothing_and_loses_nothing() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    for person in [&ada, &eve] {
        connect_filesource(&app, person, json!({})).await;
    }
    limit_storage(&app, &ada, None, Some(600)).await;
    let found = storage(&app, &ada).await;
    assert_eq!(found["records"], json!({ "used": 0, "limit": 600 }));
    upload_files(&app, &ada, &[("accounts_crm.csv", &accounts(0, 600))]).await;
    let (before, file) = (counted(&app, &ada).await, accounts(0, 700));
    let refused = send_form(&app, &ada, multipart_form(&[("accounts_crm.csv", &file)])).await;
    check_full(&refused);
    assert_eq!(counted(&app, &ada).await, before);
    // The same for whom it is not full, and for the same with more room.
    upload_files(&app, &eve, &[("accounts_crm.csv", &file)]).await;
    limit_storage(&app, &ada, None, Some(700)).await;
    upload_files(&app, &ada, &[("accounts_crm.csv", &file)]).await;
    // What adds nothing is let through; one byte more is not.
    limit_storage(&app, &ada, Some(100), None).await;
    upload_files(&app, &ada, &[("accounts_crm.csv", &file)]).await;
    let one = multipart_form(&[("accounts_crm.csv", b"account_id,name\n99999,One more\n")]);
    check_full(&send_form(&app, &ada, one).await);
    // Rows that cannot be read take room too.
    let broken = multipart_form(&[("accounts_crm.csv", b"account_id,name\n1,2,3,4\n")]);
    check_full(&send_form(&app, &ada, broken).await);
}

#[tokio::test]
async fn events_of_a_full_tenant_are_refused_and_deletes_are_not() {
    let sender = MessageSender::start().await;
    let (app, ada) = (&sender.app, &sender.person);
    let send = async |event: Value| app.post("/api/v1/events", ada, event).await;
    limit_storage(app, ada, None, Some(2)).await;
    for id in ["1", "2"] {
        assert_eq!(send(sender.event(id)).await.status, StatusCode::ACCEPTED);
    }
    check_full(&send(json!([sender.event("1"), sender.event("3")])).await);
    assert_eq!(counted(app, ada).await.1, 2);
    let mut delete = sender.event("1");
    delete["op"] = json!("delete");
    let deleted = send(delete).await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED, "{deleted}");
}

#[tokio::test]
async fn a_sync_stops_where_the_storage_is_full_and_goes_on_from_there() {
    let (app, _source, ada, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    limit_storage(&app, &ada, None, Some(700)).await;
    let task = sync(&app, &ada, &id, json!({})).await;
    assert_eq!(task["status"], "failed", "{task}");
    let error = task["error"].as_str().unwrap();
    assert!(error.contains("storage"), "{task}");
    let stored = counted(&app, &ada).await.1;
    assert!(stored <= 700, "{stored}");
    let run = latest_run(&app, &ada, &id).await;
    assert_eq!(run["status"], "failed", "{run}");
    limit_storage(&app, &ada, None, Some(1200)).await;
    let task = sync(&app, &ada, &id, json!({})).await;
    assert_eq!(task["status"], "success", "{task}");
    assert_eq!(counted(&app, &ada).await.1, 1200);
}

#[tokio::test]
async fn no_function_changes_its_tenants_storage() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let mut tx = platform::db::begin(&app.platform.db, ada.tenant)
        .await
        .unwrap();
    for sql in [
        "insert into storage_usage select current_setting('app.tenant_id')::uuid, 1, -1, -1",
        "update storage_usage set bytes = 0",
        "delete from storage_usage",
        "call limit_storage(current_setting('app.tenant_id')::uuid, null, 999999)",
        "select add_storage(current_setting('app.tenant_id')::uuid, -1, -1)",
    ] {
        let mut attempt = sqlx::Connection::begin(&mut *tx).await.unwrap();
        let refused = sqlx::query(sql).execute(&mut *attempt).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{error}");
    }
}
