//! The merged document is one that client generators can read.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use platform::http;
use serde_json::Value;
use tests::app::TestApp;

async fn merged(app: &TestApp) -> Value {
    app.get("/openapi.json", None).await.json()
}

/// `functions/aam-monitor/openapi.json` is served as it is: no function knows the others' routes.
#[tokio::test]
async fn the_document_is_what_the_routers_say() {
    let app = TestApp::start().await;
    let document = local::gateway::document(&app.platform);
    let said = serde_json::to_string(&document).unwrap() + "\n";
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../functions/aam-monitor/openapi.json"
    );
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        return std::fs::write(path, said).unwrap();
    }
    let served = app.get("/openapi.json", None).await;
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert!(
        served.body == said,
        "functions/aam-monitor/openapi.json is not what the routers say: write it anew with \
         `UPDATE_OPENAPI=1 cargo test -p tests --test it what_the_routers_say`"
    );
}

#[tokio::test]
async fn the_document_and_the_page_are_sent_once() {
    let app = TestApp::start().await;
    for path in ["/openapi.json", "/docs"] {
        let first = app.get(path, None).await;
        assert_eq!(first.status, StatusCode::OK, "{first}");
        let tag = first.header("etag").unwrap();
        let again = [("if-none-match", tag)];
        let again = app.send(Method::GET, path, None, Body::empty(), &again);
        let again = again.await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{again}");
        assert_eq!(again.header("etag"), Some(tag));
    }
    let way = app.get("/", None).await;
    assert_eq!(way.header("location"), Some("/docs"));
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

#[tokio::test]
async fn each_operation_has_an_id_of_its_own() {
    let document = merged(&TestApp::start().await).await;
    let mut seen = BTreeMap::new();
    for (route, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(id.contains('.'), "{route}: `{id}` names no resource");
        if let Some(other) = seen.insert(id, route.clone()) {
            panic!("{route} and {other} are both `{id}`");
        }
    }
}

#[tokio::test]
async fn each_response_is_described_and_any_other_is_a_problem() {
    let document = merged(&TestApp::start().await).await;
    for (route, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{route}: {status}");
        }
        let problem = &responses["default"]["content"]["application/problem+json"]["schema"];
        assert_eq!(problem["$ref"], "#/components/schemas/Problem", "{route}");
    }
}

#[tokio::test]
async fn functions_that_name_a_schema_alike_mean_the_same() {
    let app = TestApp::start().await;
    let document = merged(&app).await;
    let platform = &app.platform;
    for (function, routes) in [
        ("auth", auth::routes(platform.clone())),
        ("aam-connect", aam_connect::routes(platform.clone())),
        ("aam-monitor", aam_monitor::routes(platform.clone())),
        ("dcl-query", dcl_query::routes(platform.clone())),
        ("event-ingest", event_ingest::routes(platform.clone())),
    ] {
        let own = http::openapi(routes, platform, function);
        let own = serde_json::to_value(own).unwrap();
        for (name, schema) in own["components"]["schemas"].as_object().unwrap() {
            let shared = &document["components"]["schemas"][name];
            assert_eq!(
                schema, shared,
                "`{name}` of {function} is not the merged one"
            );
        }
    }
}
