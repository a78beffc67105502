//! Rate limits through the routers: who counts apart, what a client is told, what it can forge.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use platform::client_address::ClientAddress;
use platform::limit::{Limits, quota};
use serde_json::json;
use tests::app::{Answer, JSON, Person, Setup, TestApp};
use tests::fixtures::users::{API_KEYS, ME};
use tests::valkey::Valkey;

/// Two at once, then one a minute; who signs in is not counted.
async fn tight(redis: Option<platform::redis::Config>) -> TestApp {
    let two = quota(1, 2);
    let limits = Limits {
        reads: two,
        writes: two,
        ..Setup::default().limits
    };
    TestApp::with(Setup {
        limits,
        redis,
        ..Setup::default()
    })
    .await
}

fn limited(answer: &Answer) -> u64 {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer}");
    assert_eq!(answer.problem()["code"], "rate_limited");
    answer.header("retry-after").unwrap().parse().unwrap()
}

fn check(answer: &Answer, class: &str, remaining: u32) {
    let policy = format!("\"{class}\";q=1;w=60;burst=2");
    assert_eq!(answer.header("ratelimit-policy"), Some(policy.as_str()));
    let standing = answer.header("ratelimit").unwrap();
    let expected = format!("\"{class}\";r={remaining};t=");
    assert!(standing.starts_with(&expected), "{standing}");
    assert_eq!(answer.header("x-ratelimit-limit"), Some("1"));
    let left = remaining.to_string();
    assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.as_str()));
    let reset = answer.header("x-ratelimit-reset").unwrap();
    assert!(
        standing.ends_with(&format!("t={reset}")),
        "{standing}, {reset}"
    );
}

async fn check_rate_limit_headers(redis: Option<platform::redis::Config>) {
    let app = tight(redis).await;
    let ann = app.register("Ann Ltd").await;
    let start = Instant::now();
    for remaining in [1, 0] {
        let answer = app.get(ME, &ann).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        check(&answer, "read", remaining);
    }
    for _ in 0..2 {
        // The first request's minute must be over, and refusals cost nothing.
        let answer = app.get(ME, &ann).await;
        let wait = limited(&answer);
        let earliest = 60 - start.elapsed().as_secs() - 1;
        assert!(
            (earliest..=60).contains(&wait),
            "{wait}, not {earliest}..=60"
        );
        check(&answer, "read", 0);
        assert_eq!(
            answer.header("x-ratelimit-reset"),
            answer.header("retry-after")
        );
    }
    // Writes are counted by themselves, wrong ones too.
    for (remaining, status) in [(1, 422), (0, 422), (0, 429)] {
        let answer = app.post(API_KEYS, &ann, json!({})).await;
        assert_eq!(answer.status.as_u16(), status, "{answer}");
        check(&answer, "write", remaining);
    }
}

#[tokio::test]
async fn rate_limit_headers_are_right_in_one_process() {
    check_rate_limit_headers(None).await;
}

#[tokio::test]
async fn rate_limit_headers_are_right_with_redis() {
    let valkey = Valkey::start().await;
    let (url, ca) = (valkey.url(), Some(valkey.ca_pem().as_bytes().to_vec()));
    check_rate_limit_headers(Some(platform::redis::Config { url, ca })).await;
}

async fn exhaust(app: &TestApp, person: &Person) -> Vec<u16> {
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(app.get(ME, person).await.status.as_u16());
    }
    seen
}

#[tokio::test]
async fn people_and_tenants_count_apart_and_a_key_as_its_person() {
    let app = tight(None).await;
    let ann = app.register("Ann Ltd").await;
    let zoe = app.register("Zoe Ltd").await;
    let invite = json!({ "email": "bob@example.com", "role": "viewer" });
    let invited = app.post("/api/v1/auth/users", &ann, invite).await.json();
    let accept = json!({ "token": invited["token"], "password": tests::app::PASSWORD });
    let bob = app
        .post("/api/v1/auth/invitations/accept", None, accept)
        .await;
    let bob = Person::from_session(&bob.json());
    assert_eq!(bob.tenant, ann.tenant);
    let new = json!({ "name": "loader", "scopes": ["read"] });
    let key = app.post(API_KEYS, &ann, new).await.json();
    let key = Person {
        token: key["key"].as_str().unwrap().to_owned(),
        ..ann.clone()
    };
    for person in [&ann, &bob, &zoe] {
        assert_eq!(exhaust(&app, person).await, [200, 200, 429]);
    }
    assert_eq!(exhaust(&app, &key).await, [429, 429, 429]);
    // Another token of the same person is the same person.
    let login = json!({ "email": ann.email, "password": tests::app::PASSWORD });
    let again = app.post("/api/v1/auth/login", None, login).await.json();
    let token = again["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        exhaust(&app, &Person { token, ..ann }).await,
        [429, 429, 429]
    );
}

#[tokio::test]
async fn bad_tokens_are_counted_by_address_and_good_ones_pass() {
    let app = tight(None).await;
    let ann = app.register("Ann Ltd").await;
    let ask = async |token: Option<&str>, address: u8| {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
        let mut request = Request::get(ME).extension(ClientAddress(Some(address)));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        app.call(request.body(Body::empty()).unwrap()).await
    };
    let changed = format!("{}x", ann.token);
    for (token, address, expected) in [
        (Some("nonsense"), 7, 401),
        (Some("aos_nonsense"), 7, 401),
        (Some(changed.as_str()), 7, 429),
        (Some(ann.token.as_str()), 7, 200),
        // Nobody who just asks is suspected of anything.
        (None, 7, 401),
        (Some("nonsense"), 7, 429),
        (Some("nonsense"), 8, 401),
    ] {
        let answer = ask(token, address).await;
        assert_eq!(answer.status.as_u16(), expected, "{token:?}: {answer}");
        if expected == 429 {
            assert!((59..=60).contains(&limited(&answer)), "{answer}");
        }
    }
}

#[tokio::test]
async fn an_address_is_the_sockets_not_the_clients_claim() {
    let limits = Limits {
        sign_in_address: quota(1, 2),
        ..Setup::default().limits
    };
    let app = TestApp::with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let login = async |number: u8, address: u8| {
        let email = format!("nobody{number}@example.com");
        let body = json!({ "email": email, "password": "wrong horse battery" });
        let claimed = format!("203.0.113.{number}");
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/auth/login")
            .header(JSON.0, JSON.1)
            .header("x-forwarded-for", &claimed)
            .header("x-real-ip", &claimed)
            .header("forwarded", format!("for={claimed}"))
            .extension(ClientAddress(Some(IpAddr::V4(Ipv4Addr::new(
                192, 0, 2, address,
            )))))
            .body(Body::from(body.to_string()))
            .unwrap();
        app.call(request).await
    };
    for (number, address, expected) in [(1, 7, 401), (2, 7, 401), (3, 7, 429), (4, 8, 401)] {
        let answer = login(number, address).await;
        assert_eq!(answer.status.as_u16(), expected, "{number}: {answer}");
        if expected == 429 {
            assert!((59..=60).contains(&limited(&answer)), "{answer}");
            check(&answer, "sign-in-address", 0);
        }
    }
}

#[tokio::test]
async fn a_tenant_has_the_quota_that_its_row_says() {
    let app = tight(None).await;
    let (ann, bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    sqlx::query("call limit_tenant($1, '6/5', null)")
        .bind(ann.tenant)
        .execute(&app.database().pool())
        .await
        .unwrap();
    for remaining in [4, 3, 2, 1, 0] {
        let answer = app.get(ME, &ann).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        let policy = answer.header("ratelimit-policy");
        assert_eq!(policy, Some("\"read\";q=6;w=60;burst=5"));
        let left = format!("{remaining}");
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.as_str()));
    }
    limited(&app.get(ME, &ann).await);
    // Its writes, and another tenant, have the platform's.
    let key = json!({ "name": "k", "scopes": ["read"] });
    check(&app.post(API_KEYS, &ann, key).await, "write", 1);
    check(&app.get(ME, &bob).await, "read", 1);
}

#[tokio::test]
async fn no_function_changes_its_tenants_quota() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let mut tx = platform::db::begin(&app.platform.db, ann.tenant)
        .await
        .unwrap();
    for sql in [
        "insert into tenant_limits (tenant_id) select current_setting('app.tenant_id')::uuid",
        "call limit_tenant(current_setting('app.tenant_id')::uuid, null, '999999/999999')",
    ] {
        let mut attempt = sqlx::Connection::begin(&mut *tx).await.unwrap();
        let refused = sqlx::query(sql).execute(&mut *attempt).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("permission denied"), "{error}");
    }
}
