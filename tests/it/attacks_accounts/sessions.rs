//! A session ends when its person says so, and after 30 days whatever anybody says.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tests::app::{Person, TestApp};
use tests::fixtures::users::{
    create_api_key, join, key_holder, login, refresh, signed_in, status_of_me,
};

const SESSIONS: &str = "/api/v1/auth/sessions";

async fn sessions(app: &TestApp, person: &Person) -> Vec<Value> {
    let answer = app.get(SESSIONS, person).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()["sessions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_person_sees_their_own_sessions_and_nothing_secret() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let laptop = login(&app, &ada).await;
    let laptop = signed_in(&laptop, &refresh(&app, &laptop).await);
    let found = sessions(&app, &ada).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(sessions(&app, &bob).await.len(), 1);
    let text = Value::from(found.clone()).to_string();
    assert!(!text.contains(&laptop.refresh_token), "{text}");
    let at = |it: &Value| -> DateTime<Utc> { it.as_str().unwrap().parse().unwrap() };
    for session in &found {
        let lives = at(&session["expires_at"]) - at(&session["started_at"]);
        assert_eq!(lives, TimeDelta::days(30));
    }
    assert!(at(&found[1]["started_at"]) < at(&found[1]["refreshed_at"]));
}

#[tokio::test]
async fn a_revoked_session_is_over_and_the_others_go_on() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let thief = login(&app, &ada).await;
    let id = sessions(&app, &ada).await[1]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{SESSIONS}/{id}");
    let foreign = app.delete(&path, &bob).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{foreign}");
    let revoked = app.delete(&path, &ada).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{revoked}");

    assert_eq!(status_of_me(&app, &thief).await, StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&app, &thief).await.status, StatusCode::UNAUTHORIZED);
    let ada = signed_in(&ada, &refresh(&app, &ada).await);
    assert_eq!(sessions(&app, &ada).await.len(), 1);
    let again = app.delete(&path, &ada).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{again}");
}

#[tokio::test]
async fn who_ends_all_sessions_ends_their_own_too() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let thief = login(&app, &ada).await;
    let answer = app.delete(SESSIONS, &ada).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer}");
    for gone in [&ada, &thief] {
        assert_eq!(status_of_me(&app, gone).await, StatusCode::UNAUTHORIZED);
        assert_eq!(refresh(&app, gone).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(status_of_me(&app, &bob).await, StatusCode::OK);
    assert_eq!(sessions(&app, &login(&app, &ada).await).await.len(), 1);
}

#[tokio::test]
async fn an_api_key_has_no_sessions() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let key = key_holder(&create_api_key(&app, &ada, &["admin", "read"]).await);
    let statuses = [
        app.get(SESSIONS, &key).await.status,
        app.delete(SESSIONS, &key).await.status,
    ];
    assert_eq!(statuses, [StatusCode::FORBIDDEN; 2]);
    assert_eq!(status_of_me(&app, &ada).await, StatusCode::OK);
}

#[tokio::test]
async fn a_family_ends_thirty_days_after_its_sign_in_however_often_refreshed() {
    let app = TestApp::start().await;
    let mut ada = app.register("Acme").await;
    for _ in 0..3 {
        // As if the last refresh was ten days ago.
        sqlx::query(
            "update refresh_tokens set created_at = created_at - interval '9 days 23 hours',
             expires_at = expires_at - interval '9 days 23 hours',
             rotated_at = rotated_at - interval '9 days 23 hours'",
        )
        .execute(&app.database().pool())
        .await
        .unwrap();
        ada = signed_in(&ada, &refresh(&app, &ada).await);
    }
    sqlx::query("update refresh_tokens set expires_at = expires_at - interval '4 hours'")
        .execute(&app.database().pool())
        .await
        .unwrap();
    let answer = refresh(&app, &ada).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
}
