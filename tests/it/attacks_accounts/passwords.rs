//! Changing and resetting a password ends what the old one opened.

use std::pin::pin;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::{Answer, PASSWORD, Person, Setup, TestApp};
use tests::fixtures::database::wait_for_blocked_backend;
use tests::fixtures::users::{
    USERS, change_user, create_api_key, join, key_holder, login, refresh, signed_in, status_of_me,
};

const NEW: &str = "nine tall ships at sea";

async fn change(app: &TestApp, person: &Person, old: &str, new: &str) -> Answer {
    let body = json!({ "current_password": old, "new_password": new });
    app.post("/api/v1/auth/password", person, body).await
}

async fn status_of_login(app: &TestApp, person: &Person, password: &str) -> StatusCode {
    let body = json!({ "email": person.email, "password": password });
    app.post("/api/v1/auth/login", None, body).await.status
}

async fn make_reset(app: &TestApp, by: &Person, who: &Person) -> Answer {
    let path = format!("{USERS}/{}/password-reset", who.user);
    app.post(&path, by, json!({})).await
}

async fn reset(app: &TestApp, token: &Value, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    app.post("/api/v1/auth/password/reset", None, body).await
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions_but_the_one_that_changed_it() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let thief = login(&app, &ada).await;
    let changed = signed_in(&ada, &change(&app, &ada, PASSWORD, NEW).await);
    for old in [&ada, &thief] {
        assert_eq!(status_of_me(&app, old).await, StatusCode::UNAUTHORIZED);
        let answer = refresh(&app, old).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    assert_eq!(status_of_me(&app, &changed).await, StatusCode::OK);
    signed_in(&changed, &refresh(&app, &changed).await);
    let statuses = [
        status_of_login(&app, &ada, PASSWORD).await,
        status_of_login(&app, &ada, NEW).await,
        status_of_me(&app, &bob).await,
    ];
    assert_eq!(statuses.map(|it| it.as_u16()), [401, 200, 200]);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_to_one_that_holds() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    for (old, new, pointer) in [
        ("not the password", NEW, "/current_password"),
        (PASSWORD, "password1234", "/new_password"),
        (PASSWORD, &ada.email, "/new_password"),
        (PASSWORD, PASSWORD, "/new_password"),
    ] {
        let answer = change(&app, &ada, old, new).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        assert_eq!(answer.problem()["errors"][0]["pointer"], pointer);
    }
    let key = key_holder(&create_api_key(&app, &ada, &["admin", "read"]).await);
    let answer = change(&app, &key, PASSWORD, NEW).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer}");
    assert_eq!(status_of_me(&app, &ada).await, StatusCode::OK);
    assert_eq!(status_of_login(&app, &ada, PASSWORD).await, StatusCode::OK);
}

#[tokio::test]
async fn a_stolen_access_token_guesses_no_password() {
    let limits = platform::limit::Limits {
        sign_in: platform::limit::quota(1, 3),
        ..Setup::default().limits
    };
    let setup = Setup {
        limits,
        ..Setup::default()
    };
    let app = TestApp::with(setup).await;
    let ada = app.register("Acme").await;
    let mut statuses = vec![];
    for guess in 0..5 {
        let answer = change(&app, &ada, &format!("guess number {guess}"), NEW).await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [422, 422, 422, 429, 429]);
}

#[tokio::test]
async fn a_sign_in_with_the_old_password_loses_against_the_change() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    // What a change does before its commit.
    let pool = app.database().pool();
    let mut change = pool.begin().await.unwrap();
    sqlx::query("update users set password_hash = 'another'")
        .execute(&mut *change)
        .await
        .unwrap();
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let mut login = pin!(app.post("/api/v1/auth/login", None, body));
    tokio::select! {
        answer = &mut login => panic!("it did not wait for the change: {answer}"),
        () = wait_for_blocked_backend(&pool) => {}
    }
    change.commit().await.unwrap();
    let answer = login.await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer}");
}

#[tokio::test]
async fn a_reset_works_once_and_ends_every_session() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let first = make_reset(&app, &ada, &bob).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first}");
    let second = make_reset(&app, &ada, &bob).await.json();
    let weak = reset(&app, &second["token"], "bob@joined.example").await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}");
    // The later one replaces the earlier one.
    for token in [
        &first.json()["token"],
        &json!("nonsense"),
        &json!(bob.refresh_token),
    ] {
        let answer = reset(&app, token, NEW).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    }
    assert_eq!(status_of_me(&app, &bob).await, StatusCode::OK);

    let done = reset(&app, &second["token"], NEW).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done}");
    let again = reset(&app, &second["token"], PASSWORD).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{again}");
    let statuses = [
        status_of_me(&app, &bob).await,
        refresh(&app, &bob).await.status,
        status_of_login(&app, &bob, PASSWORD).await,
        status_of_login(&app, &bob, NEW).await,
    ];
    assert_eq!(statuses.map(|it| it.as_u16()), [401, 401, 401, 200]);
}

#[tokio::test]
async fn a_reset_is_for_an_admin_to_make_for_others_of_the_tenant() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.register("Acme").await, app.register("Eve Ltd").await);
    let bob = join(&app, &ada, "bob", "member").await;
    let key = key_holder(&create_api_key(&app, &ada, &["admin", "read"]).await);
    let statuses = [
        make_reset(&app, &eve, &bob).await.status,
        make_reset(&app, &bob, &ada).await.status,
        make_reset(&app, &key, &bob).await.status,
        // A stolen token would be good for a new password.
        make_reset(&app, &ada, &ada).await.status,
    ];
    assert_eq!(statuses.map(|it| it.as_u16()), [404, 403, 403, 409]);
}

#[tokio::test]
async fn a_reset_ends_with_its_maker_its_person_and_its_time() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let carol = join(&app, &ada, "carol", "member").await;
    let bob = join(&app, &ada, "bob", "admin").await;
    let made = make_reset(&app, &bob, &carol).await.json();
    change_user(&app, &ada, &bob, json!({ "role": "member" })).await;
    change_user(&app, &ada, &bob, json!({ "role": "admin" })).await;
    let answer = reset(&app, &made["token"], NEW).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");

    let made = make_reset(&app, &ada, &carol).await.json();
    change_user(&app, &ada, &carol, json!({ "disabled": true })).await;
    let while_disabled = make_reset(&app, &ada, &carol).await;
    assert_eq!(
        while_disabled.status,
        StatusCode::CONFLICT,
        "{while_disabled}"
    );
    change_user(&app, &ada, &carol, json!({ "disabled": false })).await;
    let answer = reset(&app, &made["token"], NEW).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");

    // Who changes the password needs no reset any more, and nobody else shall have one.
    let made = make_reset(&app, &ada, &carol).await.json();
    let carol = login(&app, &carol).await;
    signed_in(&carol, &change(&app, &carol, PASSWORD, NEW).await);
    let answer = reset(&app, &made["token"], "seventeen salal berries").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");

    let made = make_reset(&app, &ada, &carol).await.json();
    sqlx::query("update password_resets set expires_at = now()")
        .execute(&app.database().pool())
        .await
        .unwrap();
    let answer = reset(&app, &made["token"], "seventeen salal berries").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
}

#[tokio::test]
async fn a_common_password_is_refused_wherever_one_is_set() {
    let app = TestApp::start().await;
    for password in [
        "liverpool2023",
        "qwertzuiop12",
        "azertyuiopqs",
        "йцукенгшщзхъ",
    ] {
        let new = json!({ "name": "Acme", "email": "ada@acme.example", "password": password });
        let answer = app.post("/api/v1/auth/register", None, new).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{password}"
        );
        assert_eq!(answer.problem()["errors"][0]["pointer"], "/password");
    }
}
