//! Access tokens that were taken away die with what took them away.

use axum::http::StatusCode;
use serde_json::json;
use tests::app::{Person, TestApp};
use tests::fixtures::users::{
    change_user, create_api_key, join, key_holder, login, refresh, signed_in, status_of_me,
};

async fn refused(app: &TestApp, person: &Person) {
    let answer = app.get("/api/v1/auth/me", person).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    answer.problem();
}

#[tokio::test]
async fn who_steals_a_refresh_token_loses_the_access_token_too() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let elsewhere = login(&app, &ada).await;
    let thief = signed_in(&ada, &refresh(&app, &ada).await);
    let further = signed_in(&thief, &refresh(&app, &thief).await);
    assert_eq!(refresh(&app, &ada).await.status, StatusCode::UNAUTHORIZED);
    refused(&app, &further).await;
    refused(&app, &thief).await;
    // Which access tokens are in whose hands is not known. The other session gets a new one.
    refused(&app, &elsewhere).await;
    let again = signed_in(&ada, &refresh(&app, &elsewhere).await);
    assert_eq!(status_of_me(&app, &again).await, StatusCode::OK);
    assert_eq!(status_of_me(&app, &bob).await, StatusCode::OK);
}

#[tokio::test]
async fn a_token_from_before_a_person_was_disabled_stays_dead() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    change_user(&app, &ada, &bob, json!({ "disabled": true })).await;
    refused(&app, &bob).await;
    change_user(&app, &ada, &bob, json!({ "disabled": false })).await;
    refused(&app, &bob).await;
    // In the same second as the change: it counts which was first, not the clock.
    let again = login(&app, &bob).await;
    assert_eq!(status_of_me(&app, &again).await, StatusCode::OK);
}

#[tokio::test]
async fn a_token_of_another_role_is_dead() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    let key = key_holder(&create_api_key(&app, &bob, &["read"]).await);
    let demoted = change_user(&app, &ada, &bob, json!({ "role": "viewer" })).await;
    assert_eq!(demoted.status, StatusCode::OK, "{demoted}");
    refused(&app, &bob).await;
    let viewer = signed_in(&bob, &refresh(&app, &bob).await);
    assert_eq!(status_of_me(&app, &viewer).await, StatusCode::OK);
    // What changes nothing ends nothing.
    change_user(
        &app,
        &ada,
        &bob,
        json!({ "role": "viewer", "disabled": false }),
    )
    .await;
    assert_eq!(status_of_me(&app, &viewer).await, StatusCode::OK);
    // A key may still do what it may, and so may everybody else.
    for other in [&key, &ada] {
        assert_eq!(status_of_me(&app, other).await, StatusCode::OK);
    }
}
