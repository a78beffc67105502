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
    let said = document.to_string() + "\n";
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
    for path in [
        "/openapi.json",
        "/docs",
        "/docs/viewer.js",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
    ] {
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
        for (name, schema) in own["components"]["schemas"].as_object().unwrap() {
            let shared = &document["components"]["schemas"][name];
            assert_eq!(
                schema, shared,
                "`{name}` of {function} is not the merged one"
            );
        }
    }
}

/// Each schema within another, with the place where it is.
fn below<'a>(place: &str, value: &'a Value, out: &mut Vec<(String, &'a Value)>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(it, value)| (it.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(it, value)| (it.to_string(), value))
            .collect(),
        _ => return,
    };
    for (name, child) in children {
        let place = format!("{place}/{name}");
        below(&place, child, out);
        out.push((place, child));
    }
}

fn all(document: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    below("", document, &mut found);
    found
}

#[tokio::test]
async fn each_reference_leads_somewhere() {
    let document = merged(&TestApp::start().await).await;
    let all = all(&document);
    let references = all
        .iter()
        .filter_map(|(place, it)| Some((place, it["$ref"].as_str()?)));
    let references: Vec<_> = references.collect();
    assert!(references.len() > 300);
    for (place, reference) in references {
        let found = document.pointer(reference.trim_start_matches('#'));
        assert!(found.is_some(), "{reference} of {place} leads nowhere");
    }
}

#[tokio::test]
async fn what_generators_make_a_type_of_has_a_name() {
    let document = merged(&TestApp::start().await).await;
    for (place, it) in all(&document) {
        let is_example = ["/example", "/examples/"]
            .iter()
            .any(|it| place.contains(it));
        let is_type = it.get("enum").is_some_and(Value::is_array)
            || it["properties"].is_object()
            || it.get("allOf").is_some();
        let parent = place.rsplit_once('/').unwrap().0;
        if is_type && !is_example && !place.ends_with("/properties") {
            assert_eq!(parent, "/components/schemas", "{place} has no name");
        }
    }
    let variants = document
        .pointer("/components/schemas/Transform/oneOf")
        .unwrap();
    for variant in variants.as_array().unwrap() {
        let name = variant["$ref"].as_str().unwrap();
        assert!(name.starts_with("#/components/schemas/Transform"), "{name}");
    }
}

#[tokio::test]
async fn each_limit_says_how_much_it_may_be() {
    let document = merged(&TestApp::start().await).await;
    let mut limits = 0;
    for (route, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            if parameter["name"] == "limit" {
                limits += 1;
                assert_eq!(schema["minimum"], 1, "{route}");
                assert!(
                    schema["maximum"].is_number() && schema["default"].is_number(),
                    "{route}"
                );
            }
        }
    }
    assert!(limits > 10, "{limits}");
    let words = document
        .pointer("/components/schemas/ConnectorName/enum")
        .unwrap();
    assert_eq!(
        *words,
        serde_json::json!(["filesource", "supabase", "postgres"])
    );
}

#[tokio::test]
async fn texts_are_written_as_viewers_show_them() {
    let document = merged(&TestApp::start().await).await;
    for (place, it) in all(&document) {
        if let Some(summary) = it["summary"].as_str() {
            assert!(
                !summary.contains('`') && !summary.ends_with('.'),
                "{place}: {summary}"
            );
        }
        for paragraph in it["description"].as_str().unwrap_or_default().split("\n\n") {
            let is_list = paragraph.starts_with("- ");
            assert!(is_list || !paragraph.contains('\n'), "{place}: {paragraph}");
        }
    }
}

#[tokio::test]
async fn the_page_runs_nothing_but_its_files() {
    let app = TestApp::start().await;
    let page = app.get("/docs", None).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = page.to_string();
    for file in ["swagger-ui-bundle.js", "viewer.js", "swagger-ui.css"] {
        assert!(text.contains(&format!("\"docs/{file}\"")), "{text}");
        let answer = app.get(&format!("/docs/{file}"), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        let packed = answer.body.starts_with(&[0x1f, 0x8b]);
        assert_eq!(
            answer.header("content-encoding"),
            packed.then_some("gzip"),
            "{file}"
        );
        let wanted = if file.ends_with("css") {
            "text/css"
        } else {
            "text/javascript"
        };
        assert!(
            answer.header("content-type").unwrap().starts_with(wanted),
            "{file}"
        );
    }
    assert_eq!(
        app.get("/docs/other.js", None).await.status,
        StatusCode::NOT_FOUND
    );
}
