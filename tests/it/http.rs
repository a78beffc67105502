//! What every route says, whatever it is for: problems, traces, origins.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use platform::{Routes, routes};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tests::app::{Answer, JSON, Person, Setup, TestApp};
use tower::ServiceExt;

use platform::limit::quota;
use tests::fixtures::users::{API_KEYS, ME};

async fn raw(app: &TestApp, person: &Person, body: impl Into<Body>) -> Answer {
    app.send(Method::POST, API_KEYS, Some(person), body.into(), &[JSON])
        .await
}

/// Status, code and pointer of a refused body.
async fn check(app: &TestApp, person: &Person, body: &[u8], expected: (u16, &str, &str)) {
    let answer = raw(app, person, body.to_vec()).await;
    let problem = answer.problem();
    let pointer = problem["errors"][0]["pointer"].as_str().unwrap_or("");
    let found = (
        answer.status.as_u16(),
        problem["code"].as_str().unwrap(),
        pointer,
    );
    let start = String::from_utf8_lossy(&body[..body.len().min(60)]);
    assert_eq!(found, expected, "{start}: {answer}");
}

#[tokio::test]
async fn a_refused_body_names_the_field_by_a_json_pointer() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let broken = (400, "bad_request", "");
    for body in [
        &b""[..],
        b"{",
        b"{\"name\": \"x\", \"scopes\": [\"read\"]} trailing",
        b"{\"name\": \"\xff\", \"scopes\": [\"read\"]}",
        b"\xff",
        b"{\"name\": \"\\ud800\", \"scopes\": [\"read\"]}",
        b"{\"name\": 1e999, \"scopes\": []}",
    ] {
        check(&app, &ann, body, broken).await;
    }
    for (body, pointer) in [
        (r#"{"name": "x", "scopes": ["read"], "nmae": 1}"#, "/nmae"),
        (r#"{"name": 1, "scopes": ["read"]}"#, "/name"),
        (r#"{"name": "x", "scopes": ["read", 7]}"#, "/scopes/1"),
        (r#"{"name": "x", "scopes": ["write"]}"#, "/scopes/0"),
        (r#"{"name": "x"}"#, "/scopes"),
        (r#"{"name": "a\u0000b", "scopes": ["read"]}"#, "/name"),
        (r#"{"na\u0000me": "x"}"#, "/na\0me"),
        ("null", ""),
        ("[]", ""),
        ("{}", "/name"),
    ] {
        check(&app, &ann, body.as_bytes(), (422, "invalid", pointer)).await;
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = format!(
        "{{\"name\": \"x\", \"source_type\": \"FileSource\", \"connector_config\": {deep}}}"
    );
    let answer = app.send(
        Method::POST,
        "/api/v1/aam/connections",
        Some(&ann),
        deep.into(),
        &[JSON],
    );
    let answer = answer.await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer}");
    answer.problem();
    // Six characters that only look like an escape.
    let fine = r#"{"name": "\\u0000", "scopes": ["read"]}"#;
    assert_eq!(raw(&app, &ann, fine).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_request_that_fits_no_route_is_a_problem() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let check = |answer: Answer, status: u16, code: &str| {
        let problem = answer.problem();
        assert_eq!(
            (answer.status.as_u16(), problem["code"].as_str()),
            (status, Some(code))
        );
    };
    check(app.get("/nowhere", &ann).await, 404, "not_found");
    check(app.get("/api/v1/auth/%FF", None).await, 404, "not_found");
    let put = app.send(Method::PUT, API_KEYS, Some(&ann), Body::empty(), &[]);
    let put = put.await;
    let allowed = put.header("allow").unwrap_or_default().to_owned();
    assert!(allowed.contains("POST"), "allow: {allowed}");
    check(put, 405, "method_not_allowed");
    for headers in [&[][..], &[("content-type", "text/plain")]] {
        let body = Body::from("{}");
        let answer = app.send(Method::POST, API_KEYS, Some(&ann), body, headers);
        check(answer.await, 415, "unsupported_media_type");
    }
    let large = vec![b' '; platform::extract::BODY_LIMIT + 1];
    check(raw(&app, &ann, large.clone()).await, 413, "too_large");
    let headers = [JSON, ("idempotency-key", "large")];
    let answer = app.send(Method::POST, API_KEYS, Some(&ann), large.into(), &headers);
    check(answer.await, 413, "too_large");
    check(app.get(ME, None).await, 401, "unauthenticated");
}

#[tokio::test]
async fn a_trace_is_followed() {
    let app = TestApp::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let uuid = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
    for (header, value, expected) in [
        ("traceparent", parent.as_str(), Some(trace)),
        ("x-trace-id", uuid, Some(uuid)),
        ("x-trace-id", "not one: it has spaces", None),
        ("traceparent", "00-junk-junk-01", None),
    ] {
        for path in [ME, "/nowhere", "/health/live"] {
            let headers = [(header, value)];
            let answer = app.send(Method::GET, path, None, Body::empty(), &headers);
            let answer = answer.await;
            let found = answer.header("x-trace-id").unwrap();
            match expected {
                Some(expected) => assert_eq!(found, expected, "{path}"),
                None => assert_eq!((found.len(), found == value), (32, false), "{path}"),
            }
            if !answer.status.is_success() {
                answer.problem();
            }
        }
    }
}

#[tokio::test]
async fn only_known_origins_may_read() {
    let limits = platform::limit::Limits {
        reads: quota(1, 1),
        ..Setup::default().limits
    };
    let app = TestApp::with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let ann = app.register("Ann Ltd").await;
    let mut seen = Vec::new();
    for person in [None, Some(&ann), Some(&ann)] {
        for (origin, expected) in [
            ("https://app.example", Some("https://app.example")),
            ("https://evil.example", None),
        ] {
            let headers = [("origin", origin)];
            let answer = app.send(Method::GET, ME, person, Body::empty(), &headers);
            let answer = answer.await;
            seen.push(answer.status.as_u16());
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, expected, "{origin}: {answer}");
            assert!(answer.header("x-trace-id").is_some());
            let exposed = answer.header("access-control-expose-headers");
            let exposed = exposed.unwrap_or_default().to_owned();
            assert!(exposed.contains("ratelimit"), "{exposed}");
        }
    }
    assert_eq!(seen, [401, 401, 200, 429, 429, 429]);
}

#[tokio::test]
async fn a_preflight_needs_no_token() {
    let app = TestApp::start().await;
    for (origin, expected) in [
        ("https://app.example", Some("https://app.example")),
        ("https://evil.example", None),
    ] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "authorization,idempotency-key",
            ),
        ];
        let answer = app.send(Method::OPTIONS, API_KEYS, None, Body::empty(), &headers);
        let answer = answer.await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        assert_eq!(answer.header("access-control-allow-origin"), expected);
    }
}

const SECRET: &str = "hunter2 in the panic";

/// Panics.
#[utoipa::path(post, path = "/panic", responses((status = 200)))]
async fn panics() {
    panic!("{SECRET}");
}

#[tokio::test]
async fn a_panic_is_a_problem_without_its_text_and_may_be_tried_again() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let routes = Routes::new().routes(routes!(panics));
    let service = platform::http::serve(routes, app.platform.clone(), "panic");
    for _ in 0..2 {
        let request = Request::post("/panic")
            .header("authorization", format!("Bearer {}", ann.token))
            .header("idempotency-key", "once")
            .body(Body::empty())
            .unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let answer = Answer::read(response).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer}");
        assert_eq!(answer.problem()["detail"], "internal error");
        assert!(!answer.to_string().contains(SECRET), "{answer}");
    }
}

#[tokio::test]
async fn a_failure_of_ours_tells_nothing_of_us() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    for sql in [
        "drop table api_keys cascade",
        "drop table audit_log cascade",
    ] {
        let pool = app.database().pool();
        sqlx::query(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    }
    let new = json!({ "email": "bob@example.com", "role": "member" });
    for answer in [
        app.get(API_KEYS, &ann).await,
        app.post("/api/v1/auth/users", &ann, new).await,
    ] {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer}");
        assert_eq!(answer.problem()["detail"], "internal error");
        for word in ["api_keys", "audit_log", "relation", "sql", "insert"] {
            assert!(!answer.to_string().contains(word), "{word} in {answer}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_one_list_of_one_tenant() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let bob = app.register("Bob Ltd").await;
    for person in [&ann, &bob] {
        for name in ["one", "two", "three"] {
            let new = json!({ "name": name, "scopes": ["read"] });
            app.post(API_KEYS, person, new).await;
        }
    }
    let page = app.get(&format!("{API_KEYS}?limit=1"), &ann).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let mut tampered = cursor.to_owned().into_bytes();
    let last = tampered.len() - 2;
    tampered[last] = if tampered[last] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).unwrap();
    let users = "/api/v1/auth/users";
    for (person, path, cursor, expected) in [
        (&ann, API_KEYS, cursor, 200),
        (&bob, API_KEYS, cursor, 422),
        (&ann, users, cursor, 422),
        (&ann, API_KEYS, &tampered, 422),
        (&ann, API_KEYS, &cursor[..8], 422),
        (&ann, API_KEYS, "", 422),
        (&ann, API_KEYS, "%00", 422),
    ] {
        let path = format!("{path}?limit=1&cursor={cursor}");
        let answer = app.get(&path, person).await;
        assert_eq!(answer.status.as_u16(), expected, "{path}: {answer}");
        if expected == 422 {
            assert_eq!(answer.problem()["errors"][0]["pointer"], "?cursor");
        }
    }
}
