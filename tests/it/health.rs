//! Health, and authentication that is off.

use std::time::{Duration, Instant};

use platform::auth::Auth;
use platform::auth::Verifier;
use platform::config::{AUDIENCE, LOCAL_ISSUER, Realm};
use platform::limit::Limits;
use platform::secrets::{RefreshingSecret, Source, TTL};
use platform::{Config, Platform, Routes, db};
use serde_json::{Value, json};
use tests::app::{Answer, Setup, TestApp};
use tests::valkey::Valkey;
use tests::vault::Vault;
use tower::ServiceExt;

use axum::body::Body;
use axum::http::Request;
use tests::fixtures::json::pick;
use tests::fixtures::users::nobody;

const READY: &str = "/health/ready";

fn redis(url: String, valkey: &Valkey) -> Setup {
    let ca = Some(valkey.ca_pem().as_bytes().to_vec());
    Setup {
        redis: Some(platform::redis::Config { url, ca }),
        ..Setup::default()
    }
}

/// HTTP status, status, and the status of database and Redis.
fn summary(answer: &Answer) -> Value {
    let body = answer.json();
    let check = |name: &str| body["checks"][name]["status"].clone();
    for name in ["database", "redis", "secrets"] {
        assert!(body["checks"][name]["latency_ms"].is_number(), "{answer}");
    }
    json!([
        answer.status.as_u16(),
        body["status"],
        check("database"),
        check("redis")
    ])
}

#[tokio::test]
async fn without_redis_it_is_ready() {
    let app = TestApp::start().await;
    let answer = app.get(READY, None).await;
    assert_eq!(
        summary(&answer),
        json!([200, "ready", "ok", "not_configured"])
    );
    assert_eq!(answer.json()["auth"]["mode"], "on");
}

#[tokio::test]
async fn readiness_is_degraded_without_redis() {
    let valkey = Valkey::start().await;
    let app = TestApp::with(redis(valkey.url(), &valkey)).await;
    let answer = app.get(READY, None).await;
    assert_eq!(summary(&answer), json!([200, "ready", "ok", "ok"]));

    let app = TestApp::with(redis("rediss://localhost:1".to_owned(), &valkey)).await;
    let answer = app.get(READY, None).await;
    assert_eq!(summary(&answer), json!([200, "degraded", "ok", "failed"]));
    let error = pick(&answer.json(), "checks/redis/error");
    assert_eq!(error, "redis does not answer");
    // It goes on serving.
    let ann = app.register("Ann Ltd").await;
    assert_eq!(app.get("/api/v1/auth/me", &ann).await.status.as_u16(), 200);
}

#[tokio::test]
async fn without_secrets_it_is_alive_and_says_so_until_they_are_mended() {
    let vault = Vault::start().await;
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let source = Source::Manager(vault.manager("auth"));
    let verifier = Verifier::new(LOCAL_ISSUER.to_owned(), AUDIENCE.to_owned());
    let platform = Platform::new(Config {
        database: app.database().login().into(),
        database_connections: 1,
        redis: None,
        realm: Realm::default(),
        open_registration: true,
        auth: Auth::On(Box::new(verifier)),
        secrets: RefreshingSecret::new(source, TTL),
        limits: Limits::default(),
        queue: app.platform.queue.clone(),
        jobs_per_tenant: platform::config::JOBS_PER_TENANT,
        storage: platform::storage::StorageQuota::default(),
        cors_origins: vec![],
        egress: schema::EgressPolicy::Any,
    })
    .unwrap();
    let routes = auth::routes(platform.clone());
    let service = platform::http::serve(routes, platform, "health");
    let get = async |path: &str| {
        let token = format!("Bearer {}", ann.token);
        let request = Request::get(path).header("authorization", token);
        let request = request.body(Body::empty()).unwrap();
        Answer::read(service.clone().oneshot(request).await.unwrap()).await
    };
    assert_eq!(get("/health/live").await.status.as_u16(), 200);
    let answer = get(READY).await;
    assert_eq!(
        summary(&answer),
        json!([503, "unavailable", "ok", "not_configured"])
    );
    let secrets = &answer.json()["checks"]["secrets"];
    assert_eq!(
        (&secrets["status"], &secrets["error"]),
        (&json!("failed"), &json!("the secret does not exist"))
    );
    let answer = get("/api/v1/auth/me").await;
    assert_eq!(answer.status.as_u16(), 503, "{answer}");
    assert_eq!(answer.json()["code"], "unavailable");

    vault.put("auth", tests::app::secrets());
    let deadline = Instant::now() + Duration::from_secs(10);
    while get(READY).await.status.as_u16() != 200 {
        assert!(Instant::now() < deadline, "it does not recover");
        tokio::task::yield_now().await;
    }
    assert_eq!(get("/api/v1/auth/me").await.status.as_u16(), 200);
}

#[tokio::test]
async fn without_a_database_it_is_unavailable_and_alive() {
    let app = TestApp::start().await;
    let platform = Platform::new(Config {
        database: db::ConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(1)
            .into(),
        database_connections: 1,
        redis: None,
        realm: Realm::default(),
        open_registration: true,
        auth: Auth::Off,
        secrets: app.platform.secrets.clone(),
        limits: Limits::default(),
        queue: std::sync::Arc::new(platform::queue::Local::default()),
        jobs_per_tenant: platform::config::JOBS_PER_TENANT,
        storage: platform::storage::StorageQuota::default(),
        cors_origins: vec![],
        egress: schema::EgressPolicy::Any,
    });
    let service = platform::http::serve(Routes::new(), platform.unwrap(), "health");
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Answer::read(service.clone().oneshot(request).await.unwrap()).await
    };
    let answer = get(READY).await;
    assert_eq!(
        summary(&answer),
        json!([503, "unavailable", "failed", "not_configured"])
    );
    let database = &answer.json()["checks"]["database"];
    assert_eq!(database["error"], "the database does not answer");
    for path in ["/health/live", "/health", "/api/v1/health"] {
        assert_eq!(get(path).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn without_authentication_everybody_is_the_development_admin() {
    let app = TestApp::with(Setup {
        auth: false,
        ..Setup::default()
    })
    .await;
    assert_eq!(app.get(READY, None).await.json()["auth"]["mode"], "off");
    auth::seed(
        &app.platform,
        &[auth::Seed {
            tenant: platform::auth::DEV_TENANT,
            name: "Development",
            user: platform::auth::DEV_USER,
            email: platform::auth::DEV_EMAIL,
            password: None,
        }],
    )
    .await
    .unwrap();
    let me = app.get("/api/v1/auth/me", None).await.json();
    assert_eq!(
        (&me["email"], &me["role"], &me["tenant_id"]),
        (
            &json!("dev@autonomos.dev"),
            &json!("admin"),
            &json!("00000000-0000-0000-0000-000000000000")
        )
    );
    let ghost = nobody();
    for person in [None, Some(&ghost)] {
        for path in [
            "/api/v1/auth/users",
            "/api/v1/aam/connections",
            "/api/v1/admin/audit/verify",
        ] {
            let answer = app.get(path, person).await;
            assert_eq!(answer.status.as_u16(), 200, "{path}: {answer}");
        }
    }
}
