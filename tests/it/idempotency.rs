//! `Idempotency-Key`: one effect, the same answer, nothing for the curious.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::app::{Answer, JSON, Person, TestApp};
use tests::fixtures::users::API_KEYS;

const REPLAY: &str = "x-idempotent-replay";

async fn post(app: &TestApp, person: &Person, key: &str, body: Value) -> Answer {
    let headers = [JSON, ("idempotency-key", key)];
    let body = Body::from(body.to_string());
    app.send(Method::POST, API_KEYS, Some(person), body, &headers)
        .await
}

fn new(name: &str) -> Value {
    json!({ "name": name, "scopes": ["read"] })
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let sql = format!("select count(*) from {table}");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&app.database().pool())
        .await
        .unwrap()
}

async fn execute(app: &TestApp, sql: &'static str) {
    let pool = app.database().pool();
    let done = sqlx::query(sql).execute(&pool).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql}");
}

#[tokio::test]
async fn the_first_answer_is_the_answer() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let first = post(&app, &ann, "k", new("loader")).await;
    assert_eq!(
        (first.status, first.header(REPLAY)),
        (StatusCode::CREATED, None)
    );
    for _ in 0..2 {
        let again = post(&app, &ann, "k", new("loader")).await;
        assert_eq!(again.status, StatusCode::CREATED, "{again}");
        assert_eq!(
            (&again.body, again.header(REPLAY)),
            (&first.body, Some("true"))
        );
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
    assert_eq!(count(&app, "api_keys").await, 1);

    let other = post(&app, &ann, "k", new("unloader")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{other}");
    assert_eq!(other.problem()["errors"][0]["pointer"], "Idempotency-Key");
    assert_eq!(count(&app, "api_keys").await, 1);

    post(&app, &ann, "k2", new("loader")).await;
    assert_eq!(count(&app, "api_keys").await, 2);
}

#[tokio::test]
async fn two_at_once_have_one_effect() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    for round in 0..5 {
        let key = format!("k{round}");
        let one = || post(&app, &ann, &key, new("loader"));
        let (a, b) = tokio::join!(one(), one());
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        let replayed = [&a, &b].iter().any(|it| it.header(REPLAY).is_some());
        assert!(
            statuses == [201, 409] || (statuses == [201, 201] && replayed),
            "{a}\n{b}"
        );
        assert_eq!(count(&app, "api_keys").await, round + 1);
        // The loser of the race may ask again.
        assert_eq!(one().await.header(REPLAY), Some("true"));
    }
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant_and_its_caller() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let zoe = app.register("Zoe Ltd").await;
    let made = post(&app, &ann, "k", new("loader")).await;
    let other = post(&app, &zoe, "k", new("loader")).await;
    assert_eq!(
        (other.status, other.header(REPLAY)),
        (StatusCode::CREATED, None)
    );
    assert_ne!(made.json()["key"], other.json()["key"]);

    // A reader of the tenant who guesses key and body is not told the admin's secret.
    let token = made.json()["key"].as_str().unwrap().to_owned();
    let reader = Person {
        token,
        ..ann.clone()
    };
    let curious = post(&app, &reader, "k", new("loader")).await;
    assert_eq!(
        curious.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{curious}"
    );
    let plain = post(&app, &reader, "fresh", new("loader")).await;
    assert_eq!(plain.status, StatusCode::FORBIDDEN, "{plain}");
    let nobody = Person {
        token: "junk".to_owned(),
        ..ann
    };
    let nobody = post(&app, &nobody, "k", new("loader")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{nobody}");
}

#[tokio::test]
async fn a_refusal_is_not_stored() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    for (body, status) in [
        (json!({}), 422),
        (json!({ "name": "", "scopes": ["read"] }), 422),
        (new("loader"), 201),
    ] {
        let answer = post(&app, &ann, "k", body).await;
        assert_eq!(answer.status.as_u16(), status, "{answer}");
        assert_eq!(
            count(&app, "idempotency_keys").await,
            i64::from(status == 201)
        );
    }
    let long = "k".repeat(256);
    for key in ["", &long] {
        let answer = post(&app, &ann, key, new("loader")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
        answer.problem();
    }
}

#[tokio::test]
async fn an_answer_is_stored_for_a_day() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    post(&app, &ann, "k", new("loader")).await;
    let age = |sql| execute(&app, sql);
    age("update idempotency_keys set created_at = now() - interval '23 hours 59 minutes'").await;
    assert!(
        post(&app, &ann, "k", new("loader"))
            .await
            .header(REPLAY)
            .is_some()
    );
    age("update idempotency_keys set created_at = now() - interval '24 hours 1 minute'").await;
    let fresh = post(&app, &ann, "k", new("another")).await;
    assert_eq!(
        (fresh.status, fresh.header(REPLAY)),
        (StatusCode::CREATED, None)
    );
    assert_eq!(count(&app, "api_keys").await, 2);
}

#[tokio::test]
async fn a_request_that_died_is_taken_over() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    post(&app, &ann, "k", new("loader")).await;
    execute(
        &app,
        "update idempotency_keys set status = null, body = null",
    )
    .await;
    let early = post(&app, &ann, "k", new("loader")).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{early}");
    early.problem();
    execute(
        &app,
        "update idempotency_keys set created_at = now() - interval '16 minutes'",
    )
    .await;
    let late = post(&app, &ann, "k", new("loader")).await;
    assert_eq!(
        (late.status, late.header(REPLAY)),
        (StatusCode::CREATED, None)
    );
    assert_eq!(count(&app, "api_keys").await, 2);
}

#[tokio::test]
async fn a_stored_answer_is_encrypted_and_bound_to_its_key() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let made = post(&app, &ann, "k", new("loader")).await.json();
    let secret = made["key"].as_str().unwrap();
    let kept: Vec<u8> = sqlx::query_scalar("select body from idempotency_keys")
        .fetch_one(&app.database().pool())
        .await
        .unwrap();
    for clear in [secret.as_bytes(), b"loader", b"\"key\""] {
        assert!(!kept.windows(clear.len()).any(|it| it == clear));
    }

    post(&app, &ann, "k2", new("loader")).await;
    execute(
        &app,
        "update idempotency_keys set body = (select body from idempotency_keys where key = 'k')
         where key = 'k2'",
    )
    .await;
    let moved = post(&app, &ann, "k2", new("loader")).await;
    assert_eq!(moved.status, StatusCode::INTERNAL_SERVER_ERROR, "{moved}");
    assert!(!moved.to_string().contains(secret));
}

#[tokio::test]
async fn expired_answers_are_purged() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    app.register("Bob Ltd").await;
    execute(
        &app,
        "insert into idempotency_keys (tenant_id, key, request_hash, created_at)
         select id, age, '', now() - age::interval
         from tenants, (values ('25 hours'), ('23 hours')) as ages (age)",
    )
    .await;
    post(&app, &ann, "k", new("loader")).await;
    let left =
        "select t.name || ': ' || key from idempotency_keys join tenants t on t.id = tenant_id
        order by 1";
    let left: Vec<String> = sqlx::query_scalar(left)
        .fetch_all(&app.database().pool())
        .await
        .unwrap();
    let expected = [
        "Ann Ltd: 23 hours",
        "Ann Ltd: k",
        "Bob Ltd: 23 hours",
        "Bob Ltd: 25 hours",
    ];
    assert_eq!(left, expected);
}
