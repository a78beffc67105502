//! Registration that is closed.

use axum::http::StatusCode;
use schema::{TenantId, UserId};
use serde_json::json;
use tests::app::{PASSWORD, Person, Setup, TestApp};
use tests::fixtures::users::{accept_invitation, invite};
use uuid::Uuid;

#[tokio::test]
async fn where_registration_is_closed_people_come_by_invitation_only() {
    let app = TestApp::with(Setup {
        open_registration: false,
        ..Setup::default()
    })
    .await;
    for path in ["/api/v1/auth/register", "/users/register"] {
        let new = json!({ "name": "Zoe Ltd", "email": "zoe@example.com", "password": PASSWORD });
        let refused = app.post(path, None, new).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused}");
        assert!(refused.detail().contains("invite you"), "{refused}");
    }
    // Who was there before.
    let (tenant, user) = (TenantId(Uuid::now_v7()), UserId(Uuid::now_v7()));
    let acme = auth::Seed {
        tenant,
        name: "Acme",
        user,
        email: "ada@acme.example",
        password: Some(PASSWORD),
    };
    auth::seed(&app.platform, &[acme]).await.unwrap();
    let login = json!({ "email": "ada@acme.example", "password": PASSWORD });
    let session = app.post("/api/v1/auth/login", None, login).await;
    let session = session.json();
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    let ada = Person {
        tenant,
        user,
        email: "ada@acme.example".to_owned(),
        token: text("access_token"),
        refresh_token: text("refresh_token"),
    };
    let invited = invite(&app, &ada, "bob@acme.example", "member").await;
    let accepted = accept_invitation(&app, &invited.json()["token"]).await;
    assert_eq!(accepted.status, StatusCode::CREATED, "{accepted}");
}
