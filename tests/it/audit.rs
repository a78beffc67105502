//! The audit log: one row per change, one chain per tenant, and no way to bend it unseen.

use axum::http::StatusCode;
use futures_util::future::join_all;
use platform::audit::{Entry, Signer, append};
use platform::db;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::app::{Person, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::upload_files;
use tests::fixtures::users::API_KEYS;

async fn verdict(app: &TestApp, person: &Person) -> Value {
    let answer = app.get("/api/v1/admin/audit/verify", person).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()
}

fn intact(rows: u64) -> Value {
    json!({ "intact": true, "rows": rows, "broken_at": null })
}

async fn new_keys(app: &TestApp, person: &Person, number: usize) {
    let one = || {
        app.post(
            API_KEYS,
            person,
            json!({ "name": "loader", "scopes": ["read"] }),
        )
    };
    for answer in join_all((0..number).map(|_| one())).await {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer}");
    }
}

async fn system_entry(app: &TestApp) -> Entry {
    let signer = Signer::of(&app.platform.secrets).await.unwrap();
    let what = ("test", "object:1".to_owned());
    let at = "2024-01-01T00:00:00.123456Z".parse().unwrap();
    Entry::of(signer, "system".to_owned(), what, at)
}

async fn actions(app: &TestApp, person: &Person) -> Vec<String> {
    sqlx::query_scalar("select action from audit_log where tenant_id = $1 order by seq")
        .bind(person.tenant.0)
        .fetch_all(&app.database().pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn each_change_is_one_row_and_a_refusal_none() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let mut expected = vec!["tenant.register"];
    let connections = "/api/v1/aam/connections";
    let id = connect_filesource(&app, &ann, json!({})).await;
    let one = format!("{connections}/{id}");
    expected.push("connection.create");
    app.patch(&one, &ann, json!({ "name": "Other" })).await;
    expected.push("connection.update");
    app.post(&format!("{one}/health-check"), &ann, json!({}))
        .await;
    // It was healthy before: nothing changed.
    upload_files(
        &app,
        &ann,
        &[("accounts_hubspot.csv", b"id,name\n1,Acme\n")],
    )
    .await;
    expected.push("file.upload");
    app.delete(&one, &ann).await;
    expected.push("connection.delete");
    // None of these changes anything.
    for answer in [
        app.post(connections, &ann, json!({})).await,
        app.patch(&one, &ann, json!({ "name": "Gone" })).await,
        app.delete(&one, &ann).await,
        app.get(connections, &ann).await,
        app.post(
            "/api/v1/auth/users",
            &ann,
            json!({ "email": "no", "role": "admin" }),
        )
        .await,
    ] {
        assert!(!answer.status.is_server_error(), "{answer}");
    }
    assert_eq!(actions(&app, &ann).await, expected);
    assert_eq!(verdict(&app, &ann).await, intact(expected.len() as u64));
}

#[tokio::test]
async fn many_writers_make_one_chain() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let zoe = app.register("Zoe Ltd").await;
    tokio::join!(new_keys(&app, &ann, 20), new_keys(&app, &zoe, 5));
    assert_eq!(verdict(&app, &ann).await, intact(21));
    assert_eq!(verdict(&app, &zoe).await, intact(6));
}

#[tokio::test]
async fn a_check_waits_for_no_writer() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    let entry = system_entry(&app).await;
    append(&mut tx, ann.tenant, &entry).await.unwrap();
    let patience = std::time::Duration::from_secs(20);
    let found = tokio::time::timeout(patience, verdict(&app, &ann)).await;
    assert_eq!(found.unwrap(), intact(1));
    tx.commit().await.unwrap();
    assert_eq!(verdict(&app, &ann).await, intact(2));
}

#[tokio::test]
async fn numbers_and_texts_stay_as_they_were_written() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    let floats = (1..200)
        .map(|it| 1.0 / f64::from(it) * 1e17)
        .collect::<Vec<_>>();
    let hostile = json!({
        "zero": -0.0, "large": 1e300, "small": 5e-324, "max": u64::MAX, "floats": floats,
        "nul": "a\0b", "text": "\u{ffff}💥\\u0000", "b": 1, "a": { "\0": null },
    });
    let entry = system_entry(&app).await.before(Value::Null).after(hostile);
    append(&mut tx, ann.tenant, &entry).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(verdict(&app, &ann).await, intact(2));
}

/// Runs the owner's statements, sees where the chain is said to break, and puts all back.
async fn check(app: &TestApp, ann: &Person, tampering: &str, broken_at: u64) {
    let pool = app.database().pool();
    let run = async |sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    };
    run("create table log as table audit_log; create table heads as table audit_heads".to_owned())
        .await;
    let mine = format!("tenant_id = '{}'", ann.tenant);
    run(tampering.replace("MINE", &mine)).await;
    let found = verdict(app, ann).await;
    assert_eq!(found["intact"], false, "{tampering}: {found}");
    assert_eq!(found["broken_at"], broken_at, "{tampering}: {found}");
    run(
        "truncate audit_log, audit_heads; insert into audit_log table log;
         insert into audit_heads table heads; drop table log, heads"
            .to_owned(),
    )
    .await;
    assert_eq!(verdict(app, ann).await, intact(5));
}

#[tokio::test]
async fn tampering_shows_and_where() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let zoe = app.register("Zoe Ltd").await;
    new_keys(&app, &ann, 4).await;
    new_keys(&app, &zoe, 4).await;
    for column in [
        "actor = 'user:x'",
        "action = 'x'",
        "object = 'x'",
        "at = at + interval '1 microsecond'",
        "before = '{}'",
        "after = '{}'",
        "after = null",
        "trace_id = 'x'",
        "key_id = 'x'",
        "key_id = null",
        "hash = sha256('x')",
    ] {
        check(
            &app,
            &ann,
            &format!("update audit_log set {column} where MINE and seq = 3"),
            3,
        )
        .await;
    }
    for (tampering, broken_at) in [
        ("delete from audit_log where MINE and seq = 3", 4),
        ("delete from audit_log where MINE and seq = 1", 2),
        ("delete from audit_log where MINE and seq = 5", 5),
        ("delete from audit_log where MINE and seq > 2", 3),
        ("delete from audit_log where MINE", 1),
        (
            "delete from audit_log where MINE; delete from audit_heads where MINE",
            1,
        ),
        ("delete from audit_heads where MINE", 1),
        (
            "update audit_log set seq = 100 where MINE and seq = 3;
             update audit_log set seq = 3 where MINE and seq = 4;
             update audit_log set seq = 4 where MINE and seq = 100",
            3,
        ),
        ("update audit_log set seq = 6 where MINE and seq = 5", 6),
        ("update audit_heads set hash = sha256('x') where MINE", 5),
        ("update audit_heads set seq = 6 where MINE", 6),
        ("update audit_heads set seq = 4 where MINE", 5),
        // Another tenant's chain, whole, in the place of this one's.
        (
            "delete from audit_log where MINE; delete from audit_heads where MINE;
             insert into audit_log select (select id from tenants where name = 'Ann Ltd'), seq, at,
               actor, action, object, before, after, trace_id, hash from log where not MINE;
             insert into audit_heads select (select id from tenants where name = 'Ann Ltd'), seq,
               hash from heads where not MINE",
            1,
        ),
    ] {
        check(&app, &ann, tampering, broken_at).await;
    }
}

#[tokio::test]
async fn the_role_of_requests_cannot_change_the_log() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    for sql in [
        "insert into audit_log table audit_log",
        "update audit_log set actor = 'x'",
        "delete from audit_log",
        "truncate audit_log",
        "insert into audit_heads table audit_heads",
        "update audit_heads set seq = 0",
        "delete from audit_heads",
        "alter table audit_log disable row level security",
    ] {
        let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
        let refused = sqlx::query(sql)
            .execute(&mut *tx)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("permission denied") || refused.contains("must be owner"),
            "{sql}: {refused}"
        );
    }
    assert_eq!(verdict(&app, &ann).await, intact(1));
}
