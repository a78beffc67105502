//! Answers to who takes them compressed.

use std::io::Read;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use tests::app::{Answer, TestApp};
use tests::fixtures::events::gateway_request;
use tests::lambda::Function;

const GZIP: (&str, &str) = ("accept-encoding", "br, gzip");
const PROGRAM: &str = env!("CARGO_BIN_EXE_function");

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send(Method::GET, path, None, Body::empty(), headers)
        .await
}

fn decode(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_takes_it() {
    let app = TestApp::start().await;
    let path = "/openapi.json";
    let plain = get(&app, path, &[]).await;
    assert_eq!(plain.header("content-encoding"), None);
    let packed = get(&app, path, &[GZIP]).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut vary = packed.headers.get_all("vary").iter();
    assert!(vary.any(|it| it == "accept-encoding"));
    assert!(packed.body.len() * 3 < plain.body.len() * 2);
    assert!(decode(&packed.body) == plain.body);
    // One tag for both, and whoever has either is sent nothing.
    let tag = plain.header("etag").unwrap();
    assert_eq!(packed.header("etag"), Some(tag));
    for headers in [
        &[("if-none-match", tag), GZIP][..],
        &[("if-none-match", tag)],
    ] {
        let same = get(&app, path, headers).await;
        assert_eq!(same.status, StatusCode::NOT_MODIFIED);
        assert_eq!(same.header("content-encoding"), None);
        assert_eq!(same.header("etag"), Some(tag));
        assert!(same.body.is_empty());
    }
}

#[tokio::test]
async fn a_short_answer_is_sent_as_it_is() {
    let app = TestApp::start().await;
    for path in ["/health/live", "/api/v1/auth/me"] {
        let answer = get(&app, path, &[GZIP]).await;
        assert_eq!(answer.header("content-encoding"), None, "{answer}");
        assert!(answer.json().is_object());
    }
}

#[tokio::test]
async fn a_function_hands_the_gateway_base64_of_it() {
    let app = TestApp::start().await;
    let function = Function::start(PROGRAM, "event-ingest", &app).await;
    let mut event = gateway_request("/openapi.json", "GET");
    let plain = function.invoke(event.clone()).await.unwrap();
    assert_eq!(plain["isBase64Encoded"], false, "{plain}");
    event["headers"]["accept-encoding"] = "gzip".into();
    let packed = function.invoke(event).await.unwrap();
    assert_eq!(packed["statusCode"], 200, "{packed}");
    assert_eq!(packed["headers"]["content-encoding"], "gzip");
    assert_eq!(packed["isBase64Encoded"], true);
    let body = BASE64_STANDARD.decode(packed["body"].as_str().unwrap());
    let body = decode(&body.unwrap());
    assert_eq!(plain["body"].as_str().map(str::as_bytes), Some(&*body));
}
