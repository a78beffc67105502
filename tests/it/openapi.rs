//! The merged document is one that client generators can read.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use platform::{Platform, http};
use serde_json::Value;
use tests::app::{Answer, TestApp};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

async fn merged(app: &TestApp) -> Value {
    app.get("/openapi.json", None).await.json()
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
        ("auth", auth::routes(platform.clone()).unwrap()),
        ("aam-connect", aam_connect::routes(platform.clone())),
        ("aam-monitor", aam_monitor::routes(platform.clone())),
        ("dcl-query", dcl_query::routes(platform.clone())),
        ("event-ingest", event_ingest::routes(platform.clone())),
    ] {
        let own = own(routes, platform).await;
        for (name, schema) in own["components"]["schemas"].as_object().unwrap() {
            let shared = &document["components"]["schemas"][name];
            assert_eq!(
                schema, shared,
                "`{name}` of {function} is not the merged one"
            );
        }
    }
}

async fn own(routes: OpenApiRouter, platform: &Platform) -> Value {
    let router = http::serve(routes, platform.clone(), "one function");
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    Answer::read(router.oneshot(request).await.unwrap())
        .await
        .json()
}
