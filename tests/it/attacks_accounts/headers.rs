//! What keeps an answer out of caches, off plain HTTP and from being taken for another kind.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;
use tests::app::{JSON, PASSWORD, TestApp};
use tests::fixtures::users::{
    API_KEYS, ME, USERS, accept_invitation, create_api_key, invite, join, login, refresh,
};

#[tokio::test]
async fn nobody_stores_an_answer_with_secrets() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    let bob = join(&app, &ada, "bob", "member").await;
    let invited = invite(&app, &ada, "carol@acme.example", "viewer").await;
    let credentials = json!({ "email": ada.email, "password": PASSWORD });
    let new = json!({ "name": "Eve", "email": "eve@eve.example", "password": PASSWORD });
    let passwords = json!({ "current_password": PASSWORD, "new_password": "nine tall ships" });
    let resets = format!("{USERS}/{}/password-reset", bob.user);
    let changed = login(&app, &bob).await;
    let answers = [
        app.post("/api/v1/auth/register", None, new).await,
        app.post("/api/v1/auth/login", None, credentials).await,
        refresh(&app, &ada).await,
        accept_invitation(&app, &invited.json()["token"]).await,
        create_api_key(&app, &ada, &["read"]).await,
        app.post(&resets, &ada, json!({})).await,
        app.post("/api/v1/auth/password", &changed, passwords).await,
        invited,
        app.get(ME, &ada).await,
        app.get(API_KEYS, &ada).await,
        app.get("/api/v1/aam/connections", &ada).await,
    ];
    for answer in answers {
        assert!(answer.status.is_success(), "{answer}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer}");
    }
}

#[tokio::test]
async fn every_answer_says_that_its_kind_is_its_kind() {
    let app = TestApp::start().await;
    let ada = app.register("Acme").await;
    for path in [
        "/docs",
        "/openapi.json",
        "/health/live",
        ME,
        "/no/such/route",
        API_KEYS,
    ] {
        for person in [None, Some(&ada)] {
            let answer = app.get(path, person).await;
            assert_eq!(
                answer.header("x-content-type-options"),
                Some("nosniff"),
                "{path}"
            );
        }
    }
    // What is the same for everybody may be kept.
    let keys = app.get("/.well-known/jwks.json", None).await;
    assert_eq!(keys.header("cache-control"), Some("public, max-age=300"));
}

#[tokio::test]
async fn who_came_over_tls_is_told_to_stay_there() {
    const HSTS: &str = "strict-transport-security";
    let app = TestApp::start().await;
    let plain = app.get("/health/live", None).await;
    assert_eq!(plain.header(HSTS), None);
    for (path, status) in [("/health/live", 200), (ME, 401)] {
        let over_tls = [JSON, ("x-forwarded-proto", "https")];
        let answer = app
            .send(Method::GET, path, None, Body::empty(), &over_tls)
            .await;
        assert_eq!(answer.status, StatusCode::from_u16(status).unwrap());
        assert_eq!(answer.header(HSTS), Some("max-age=63072000"));
    }
}

#[tokio::test]
async fn no_page_runs_a_script_that_is_not_its_own() {
    let app = TestApp::start().await;
    let page = app.get("/docs", None).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    // What is in the page is let through by its hash, and no attribute is a script or a style.
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    for part in ["script", "style"] {
        let blocks = text.matches(&format!("<{part}>")).count();
        let directive = policy
            .split(';')
            .find(|it| it.contains(&format!("{part}-src")));
        assert_eq!(
            directive.unwrap().matches("'sha256-").count(),
            blocks,
            "{policy}"
        );
    }
    assert!(!text.contains(" style=") && !text.contains(" onclick="));
}
