//! Who may call what, read off the routers' own document: a new route cannot be forgotten.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::app::{JSON, Person, TestApp};
use uuid::Uuid;

/// One operation of the merged document.
#[derive(Debug)]
struct Route {
    method: Method,
    path: String,
    /// Whether it asks for a token or an API key.
    protected: bool,
    /// The scope it asks for; none where every caller may.
    scope: Option<String>,
}

async fn routes(app: &TestApp) -> Vec<Route> {
    let document = app.get("/openapi.json", None).await.json();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let bearer = &operation["security"][0]["bearer"];
            let scope = bearer[0].as_str().map(str::to_owned);
            let method = method.to_uppercase().parse().unwrap();
            routes.push(Route {
                method,
                path: path.clone(),
                protected: bearer.is_array(),
                scope,
            });
        }
    }
    assert!(routes.len() > 20, "{routes:?}");
    routes
}

/// The path with an id that exists nowhere in place of each parameter.
fn concrete(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            Uuid::new_v4().to_string()
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn call(app: &TestApp, route: &Route, person: Option<&Person>) -> StatusCode {
    let body = Body::from("{}");
    let path = concrete(&route.path);
    app.send(route.method.clone(), &path, person, body, &[JSON])
        .await
        .status
}

#[tokio::test]
async fn a_protected_route_asks_for_a_token() {
    let app = TestApp::start().await;
    for route in routes(&app).await {
        let status = call(&app, &route, None).await;
        assert_eq!(
            status == StatusCode::UNAUTHORIZED,
            route.protected,
            "{route:?}: {status}"
        );
        let forged = Person {
            token: "invalid.token.here".to_owned(),
            ..nobody()
        };
        if route.protected {
            assert_eq!(
                call(&app, &route, Some(&forged)).await,
                StatusCode::UNAUTHORIZED,
                "{route:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_open_routes_are_these() {
    let app = TestApp::start().await;
    let open: Vec<_> = routes(&app)
        .await
        .into_iter()
        .filter(|it| !it.protected)
        .map(|it| format!("{} {}", it.method, it.path))
        .collect();
    insta::assert_snapshot!(open.join("\n"));
}

#[tokio::test]
async fn a_route_refuses_whoever_lacks_its_scope() {
    let app = TestApp::start().await;
    let admin = app.register("Ann Ltd").await;
    let mut keys = Vec::new();
    for scopes in [vec!["read"], vec!["ingest"], vec!["admin"]] {
        let new = json!({ "name": scopes[0], "scopes": scopes });
        let key = app.post("/api/v1/auth/api-keys", &admin, new).await;
        assert_eq!(key.status, StatusCode::CREATED, "{key}");
        let token = key.json()["key"].as_str().unwrap().to_owned();
        keys.push((scopes[0], Person { token, ..nobody() }));
    }
    for route in routes(&app).await {
        let Some(scope) = &route.scope else { continue };
        for (has, person) in &keys {
            // A key may revoke itself; the others must live on.
            if route.method == Method::DELETE && route.path.contains("api-keys") && has == scope {
                continue;
            }
            let status = call(&app, &route, Some(person)).await;
            let refused = status == StatusCode::FORBIDDEN;
            assert_eq!(refused, has != scope, "{route:?} with {has}: {status}");
            assert!(!status.is_server_error(), "{route:?} with {has}: {status}");
        }
    }
}

#[tokio::test]
async fn an_id_that_is_not_of_the_tenant_is_not_found() {
    let app = TestApp::start().await;
    let admin = app.register("Ann Ltd").await;
    let mut tried = 0;
    for route in routes(&app).await {
        if route.scope.is_none() || !route.path.contains('{') || route.method == Method::PATCH {
            continue;
        }
        let status = call(&app, &route, Some(&admin)).await;
        let gone = [StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY].contains(&status);
        assert!(gone, "{route:?}: {status}");
        tried += 1;
    }
    assert!(tried > 5, "only {tried} routes with an id");
}

pub(crate) fn nobody() -> Person {
    let session: Value = json!({
        "user": { "tenant_id": Uuid::nil(), "id": Uuid::nil(), "email": "" },
        "access_token": "",
        "refresh_token": "",
    });
    Person::from_session(&session)
}
