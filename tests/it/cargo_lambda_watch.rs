//! The table by which `cargo lambda watch` finds a function, against the functions themselves.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::MatchedPath;
use axum::http::Request;
use axum::routing::any;
use platform::http;
use serde_json::Value;
use tests::app::TestApp;
use tower::ServiceExt;

/// Path → function, as the root manifest has it.
fn table() -> BTreeMap<String, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let router = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    router.clone().try_into().unwrap()
}

/// Which entry of the table a path leads to. cargo-lambda and axum share their matcher.
async fn entry(router: &Router, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.into()).unwrap()
}

fn router(table: &BTreeMap<String, String>) -> Router {
    let answer = async |it: MatchedPath| it.as_str().to_owned();
    table.keys().fold(Router::new(), |router, path| {
        router.route(path, any(answer))
    })
}

/// `get /api/v1/aam/drift/{id}` for each operation of a document.
fn operations(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(move |it| (it.clone(), path.clone()))
    });
    operations.collect()
}

/// A path that fits the template.
fn example(template: &str) -> String {
    let parts = template.split('/');
    let parts = parts.map(|it| if it.starts_with('{') { "x" } else { it });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn each_operation_is_led_to_the_function_that_has_it() {
    let app = TestApp::start().await;
    let own: BTreeMap<&str, _> = [
        ("auth", auth::routes(app.platform.clone())),
        ("aam-connect", aam_connect::routes(app.platform.clone())),
        ("aam-monitor", aam_monitor::routes(app.platform.clone())),
        ("dcl-query", dcl_query::routes(app.platform.clone())),
        ("event-ingest", event_ingest::routes(app.platform.clone())),
    ]
    .into_iter()
    .map(|(name, routes)| {
        let document = http::openapi(routes, &app.platform, name);
        (name, operations(&serde_json::to_value(document).unwrap()))
    })
    .collect();
    let (table, mut used) = (table(), BTreeSet::new());
    let router = router(&table);
    let merged = app.get("/openapi.json", None).await.json();
    for operation in operations(&merged) {
        let entry = entry(&router, &example(&operation.1)).await;
        let function = &table[&entry];
        let has = own[function.as_str()].contains(&operation);
        assert!(
            has,
            "{operation:?} is not a route of {function}, where `{entry}` leads"
        );
        used.insert(entry);
    }
    // Nothing but the root itself is there for no operation: it is answered as any unknown path.
    used.insert("/".to_owned());
    let idle: Vec<_> = table.keys().filter(|it| !used.contains(*it)).collect();
    assert!(idle.is_empty(), "no operation needs {idle:?}");
}

#[tokio::test]
async fn an_unknown_path_is_routed_too() {
    let table = table();
    let router = router(&table);
    for path in [
        "/",
        "/favicon.ico",
        "/api/v2/anything",
        "/health/live",
        "/openapi.json",
    ] {
        let entry = entry(&router, path).await;
        assert_eq!(table[&entry], "aam-monitor", "{path}");
    }
}
