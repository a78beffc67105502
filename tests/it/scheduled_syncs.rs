//! Standing syncs and schema checks: what is due is done, once.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::CONNECTIONS;
use tests::fixtures::jobs::run_schedule;
use tests::fixtures::json::pick;
use tests::fixtures::postgres_source::{ACCOUNTS_TABLE, accounts_object, new_postgres_connection};
use tests::source::Source;

async fn connect(app: &TestApp, person: &Person, source: &Source) -> String {
    let mut new = new_postgres_connection(&source.config(accounts_object()));
    new["sync_every_minutes"] = json!(30);
    let made = app.post(CONNECTIONS, person, new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    let paces = (
        &made["sync_every_minutes"],
        &made["schema_check_every_hours"],
    );
    assert_eq!(paces, (&json!(30), &json!(24)), "{made}");
    made["id"].as_str().unwrap().to_owned()
}

/// The kinds of the tenant's jobs and how they stand, by age.
async fn jobs(app: &TestApp, person: &Person) -> Vec<String> {
    let tasks = app.get("/api/v1/tasks", person).await.json();
    let tasks = tasks["tasks"].as_array().unwrap().iter().rev();
    let words = tasks.map(|it| {
        [&it["kind"], &it["status"]]
            .map(|it| it.as_str().unwrap())
            .join(" ")
    });
    words.collect()
}

async fn run(app: &TestApp, sql: &'static str) {
    sqlx::query(sql)
        .execute(&app.database().pool())
        .await
        .unwrap();
}

/// Minutes until the next sync and the next look at the structure.
async fn minutes(app: &TestApp) -> (f64, f64) {
    sqlx::query_as(
        "select (extract(epoch from sync_due_at - now()) / 60)::float8,
          (extract(epoch from schema_check_due_at - now()) / 60)::float8
        from connections",
    )
    .fetch_one(&app.database().pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn what_is_due_is_started_once_and_again_when_its_time_is_over() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let person = app.register("Standing Ltd").await;
    connect(&app, &person, &source).await;
    run_schedule(&app, "sweep").await;
    assert_eq!(jobs(&app, &person).await, [""; 0]);
    // Two schedules at once, and a third that comes late.
    tokio::join!(run_schedule(&app, "sync"), run_schedule(&app, "sync"));
    run_schedule(&app, "sync").await;
    run_schedule(&app, "schema-check").await;
    assert_eq!(
        jobs(&app, &person).await,
        ["sync queued", "discover queued"]
    );
    let (sync, check) = minutes(&app).await;
    assert!((29.9..=33.0).contains(&sync), "{sync}");
    assert!((1439.9..=1584.0).contains(&check), "{check}");

    while aam_connect::worker::step(&app.platform).await.unwrap() {}
    run_schedule(&app, "sync").await;
    assert_eq!(
        jobs(&app, &person).await,
        ["sync success", "discover success"]
    );
    let view = app
        .get("/api/v1/dcl/views/accounts?limit=1", &person)
        .await
        .json();
    assert_eq!(view["meta"]["total"], 1200);

    // Due, but the last one still runs: it is put off.
    run(&app, "update connections set sync_due_at = now()").await;
    run_schedule(&app, "sync").await;
    run(&app, "update connections set sync_due_at = now()").await;
    run_schedule(&app, "sync").await;
    assert_eq!(
        jobs(&app, &person).await,
        ["sync success", "discover success", "sync queued"]
    );
    assert!(minutes(&app).await.0 > 29.0);
    let verdict = app.get("/api/v1/admin/audit/verify", &person).await.json();
    assert_eq!(verdict["intact"], true, "{verdict}");
}

#[tokio::test]
async fn more_due_connections_than_a_tick_starts_leave_no_other_tenant_out() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let (ann, bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    connect(&app, &ann, &source).await;
    run(
        &app,
        "insert into connections
        select (jsonb_populate_record(c, jsonb_build_object(
          'id', gen_random_uuid(), 'name', 'no. ' || n,
          'sync_due_at', now() - interval '1 hour'))).*
        from connections c, generate_series(1, 1050) n",
    )
    .await;
    connect(&app, &bob, &source).await;
    run_schedule(&app, "sync").await;
    assert_eq!(jobs(&app, &bob).await, ["sync queued"]);
}

#[tokio::test]
async fn every_tenant_s_turn_comes_and_each_job_is_its_own() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let (ann, bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    let (of_ann, of_bob) = (
        connect(&app, &ann, &source).await,
        connect(&app, &bob, &source).await,
    );
    run_schedule(&app, "sync").await;
    for (person, id) in [(&ann, of_ann), (&bob, of_bob)] {
        let tasks = app.get("/api/v1/tasks", person).await.json();
        let found = pick(&tasks, "total tasks/0/payload/connection_id");
        assert_eq!(found, format!("1 {id}"));
    }
    // What the clock may see is when, and nothing more.
    let mut tx = platform::db::begin_sweep(&app.platform.db).await.unwrap();
    let hidden = sqlx::query("select sealed_secrets from connections")
        .execute(&mut *tx)
        .await;
    assert!(
        hidden
            .unwrap_err()
            .to_string()
            .contains("permission denied")
    );
}

#[tokio::test]
async fn a_schedule_is_checked_changed_and_switched_off() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let person = app.register("Pace Ltd").await;
    let one = format!("{CONNECTIONS}/{}", connect(&app, &person, &source).await);
    let table: [(&str, Value, u16); 9] = [
        ("sync_every_minutes", json!(4), 422),
        ("sync_every_minutes", json!(10_081), 422),
        ("sync_every_minutes", json!("often"), 422),
        ("schema_check_every_hours", json!(0), 422),
        ("schema_check_every_hours", json!(721), 422),
        ("schema_check_every_hours", json!(1), 200),
        ("sync_every_minutes", json!(5), 200),
        ("sync_every_minutes", json!(null), 200),
        ("schema_check_every_hours", json!(null), 200),
    ];
    for (field, value, status) in table {
        let answer = app.patch(&one, &person, json!({ field: value })).await;
        assert_eq!(answer.status, status, "{field} {value}: {answer}");
        if status == 200 {
            assert_eq!(answer.json()[field], value);
        } else {
            assert_eq!(answer.json()["errors"][0]["pointer"], format!("/{field}"));
        }
    }
    app.patch(&one, &person, json!({ "name": "Off" })).await;
    run_schedule(&app, "sync").await;
    run_schedule(&app, "schema-check").await;
    assert_eq!(jobs(&app, &person).await, [""; 0]);

    // Switched on, it is due at once.
    app.patch(&one, &person, json!({ "sync_every_minutes": 60 }))
        .await;
    run_schedule(&app, "sync").await;
    assert_eq!(jobs(&app, &person).await, ["sync queued"]);
    let files = json!({ "name": "F", "source_type": "filesource", "connector_config": {}, "sync_every_minutes": 60 });
    let answer = app.post(CONNECTIONS, &person, files).await;
    assert_eq!(
        answer.json()["errors"][0]["pointer"],
        "/sync_every_minutes",
        "{answer}"
    );
}
