//! Refresh tokens: rotation, reuse, and signing out.

use std::pin::pin;

use axum::http::StatusCode;
use serde_json::json;
use tests::app::{Answer, TestApp};
use tests::fixtures::database::wait_for_blocked_backend;

async fn refresh(app: &TestApp, token: &str) -> Answer {
    let body = json!({ "refresh_token": token });
    app.post("/api/v1/auth/refresh", None, body).await
}

async fn refreshed(app: &TestApp, token: &str) -> String {
    let answer = refresh(app, token).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()["refresh_token"].as_str().unwrap().to_owned()
}

async fn refused(app: &TestApp, token: &str) {
    let answer = refresh(app, token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
}

/// Lets every rotation so far be a minute old.
async fn a_minute_passes(app: &TestApp) {
    sqlx::query("update refresh_tokens set rotated_at = rotated_at - interval '1 minute'")
        .execute(&app.database().pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refresh_token_rotates() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let answer = refresh(&app, &ada.refresh_token).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    let body = answer.json();
    assert_ne!(body["refresh_token"], json!(ada.refresh_token));
    let again = tests::app::Person {
        token: body["access_token"].as_str().unwrap().to_owned(),
        ..ada
    };
    assert_eq!(
        app.get("/api/v1/auth/me", &again).await.status,
        StatusCode::OK
    );
    let child = body["refresh_token"].as_str().unwrap();
    refreshed(&app, child).await;
}

#[tokio::test]
async fn the_parent_gets_the_same_child_while_that_is_new() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let child = refreshed(&app, &ada.refresh_token).await;
    assert_eq!(refreshed(&app, &ada.refresh_token).await, child);
    let grandchild = refreshed(&app, &child).await;
    assert_eq!(refreshed(&app, &child).await, grandchild);
    // The child was used, so its parent is in two hands: all of the family dies.
    refused(&app, &ada.refresh_token).await;
    refused(&app, &child).await;
    refused(&app, &grandchild).await;
}

#[tokio::test]
async fn a_token_used_twice_ends_its_family_only() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let login = json!({ "email": ada.email, "password": tests::app::PASSWORD });
    let elsewhere = app.post("/api/v1/auth/login", None, login).await.json();
    let child = refreshed(&app, &ada.refresh_token).await;
    a_minute_passes(&app).await;
    refused(&app, &ada.refresh_token).await;
    refused(&app, &child).await;
    refreshed(&app, elsewhere["refresh_token"].as_str().unwrap()).await;
    let actions: Vec<String> = sqlx::query_scalar("select action from audit_log order by seq")
        .fetch_all(&app.database().pool())
        .await
        .unwrap();
    assert_eq!(
        actions,
        ["tenant.register", "session.start", "session.revoke"]
    );
}

#[tokio::test]
async fn refreshing_at_once_gives_one_child() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let token = &ada.refresh_token;
    let (one, two, three, four) = tokio::join!(
        refreshed(&app, token),
        refreshed(&app, token),
        refreshed(&app, token),
        refreshed(&app, token),
    );
    assert_eq!([&two, &three, &four], [&one; 3]);
    refreshed(&app, &one).await;
}

#[tokio::test]
async fn signing_out_ends_the_session_and_tells_nothing() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let child = refreshed(&app, &ada.refresh_token).await;
    for token in [&child, &child, "nonsense"] {
        let body = json!({ "refresh_token": token });
        let answer = app.post("/api/v1/auth/logout", None, body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer}");
    }
    refused(&app, &child).await;
    refused(&app, &ada.refresh_token).await;
}

#[tokio::test]
async fn signing_out_ends_a_session_that_is_refreshed_at_this_moment() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    // What a refresh does before its commit.
    let mut refresh = app.database().pool().begin().await.unwrap();
    for sql in [
        "select 1 from users for no key update",
        "insert into refresh_tokens
           (tenant_id, id, family_id, user_id, token_hash, created_at, expires_at)
         select tenant_id, gen_random_uuid(), family_id, user_id, token_hash, created_at, expires_at
         from refresh_tokens",
    ] {
        sqlx::query(sql).execute(&mut *refresh).await.unwrap();
    }
    let body = json!({ "refresh_token": ada.refresh_token });
    let mut logout = pin!(app.post("/api/v1/auth/logout", None, body));
    let pool = app.database().pool();
    tokio::select! {
        answer = &mut logout => panic!("it did not wait for the refresh: {answer}"),
        () = wait_for_blocked_backend(&pool) => {}
    }
    refresh.commit().await.unwrap();
    let answer = logout.await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer}");
    let alive: i64 =
        sqlx::query_scalar("select count(*) from refresh_tokens where revoked_at is null")
            .fetch_one(&app.database().pool())
            .await
            .unwrap();
    assert_eq!(alive, 0);
}

#[tokio::test]
async fn a_text_that_is_no_refresh_token_is_refused() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let real = &ada.refresh_token;
    let mut forged = real.clone();
    // In the secret: the last character carries two unused bits, so not that one.
    let place = forged.len() - 8;
    let other = if &forged[place..=place] == "A" {
        "B"
    } else {
        "A"
    };
    forged.replace_range(place..=place, other);
    for token in ["", "nonsense", &real[1..], &forged, &ada.token] {
        refused(&app, token).await;
    }
    // Trying harmed nobody.
    refreshed(&app, real).await;
}

#[tokio::test]
async fn an_expired_refresh_token_is_refused() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    sqlx::query("update refresh_tokens set expires_at = now()")
        .execute(&app.database().pool())
        .await
        .unwrap();
    refused(&app, &ada.refresh_token).await;
}
