//! Who may call what, read off the routers' own document: a new route cannot be forgotten.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::app::{Answer, JSON, Person, TestApp};
use tests::fixtures::files::upload_to;
use tests::fixtures::users::nobody;
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
    assert!(routes.len() > 40, "{routes:?}");
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

/// One object of each kind that a path can name.
async fn objects(app: &TestApp, owner: &Person) -> Vec<(&'static str, String)> {
    let text = |answer: Answer, pointer: &str| {
        let value = answer.json();
        let found = value.pointer(pointer).and_then(Value::as_str);
        found
            .unwrap_or_else(|| panic!("no {pointer} in {answer}"))
            .to_owned()
    };
    let new = json!({ "name": "Files", "source_type": "filesource", "connector_config": {} });
    let connection = text(app.post("/api/v1/aam/connections", owner, new).await, "/id");
    for column in ["industry", "branch"] {
        let file = format!("account_id,name,{column}\n1,Acme,Rockets\n");
        let answer = upload_to(
            app,
            owner,
            &connection,
            &[("accounts_crm.csv", file.as_bytes())],
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
    }
    let drift = text(
        app.get("/api/v1/aam/drift", owner).await,
        "/drift_events/0/id",
    );
    let path = format!("/api/v1/aam/connections/{connection}/replay");
    let job = text(app.post(&path, owner, json!({})).await, "/job_id");
    let ticket = json!({ "name": "ticket", "key": ["ticket_id"], "fields": [
        { "name": "ticket_id", "type": "text" }, { "name": "subject", "type": "text" },
    ] });
    let declared = app.post("/api/v1/dcl/entities", owner, ticket).await;
    assert_eq!(declared.status, StatusCode::CREATED, "{declared}");
    let new = json!({ "name": "a program", "scopes": ["read"] });
    let key = text(app.post("/api/v1/auth/api-keys", owner, new).await, "/id");
    let new = json!({ "email": format!("guest@{connection}.example"), "role": "viewer" });
    let invitation = text(app.post("/api/v1/auth/users", owner, new).await, "/id");
    let sessions = app.get("/api/v1/auth/sessions", owner).await;
    let session = text(sessions, "/sessions/0/id");
    vec![
        ("/api/v1/dcl/mappings/", connection.clone()),
        ("/api/v1/dcl/proposals/", connection.clone()),
        ("/api/v1/dcl/entities/", "ticket".to_owned()),
        ("/api/v1/dcl/fields/", "ticket".to_owned()),
        ("/api/v1/dcl/views/{view}/record", connection.clone()),
        ("/api/v1/dcl/views/", "tickets".to_owned()),
        ("/api/v1/aam/connections/", connection),
        ("/api/v1/aam/drift/", drift),
        ("/api/v1/auth/api-keys/", key),
        ("/api/v1/auth/invitations/", invitation),
        ("/api/v1/auth/sessions/", session),
        ("/api/v1/auth/users/", owner.user.to_string()),
        ("/api/v1/tasks/", job),
    ]
}

/// Another mapping of accounts.
const MAPPING: &str = r#"{"reason":"r","mapping":{"entity":"account","fields":[
    {"target":"account_id","sources":["account_id"]},{"target":"name","sources":["industry"]}]}}"#;

#[tokio::test]
async fn an_object_of_another_tenant_is_not_found() {
    let app = TestApp::start().await;
    let with_id: Vec<_> = routes(&app)
        .await
        .into_iter()
        .filter(|it| {
            let names = ["{id}", "{connection}", "{entity}", "{view}"];
            names.iter().any(|name| it.path.contains(name))
        })
        .collect();
    assert!(with_id.len() > 36, "{with_id:?}");
    let bob = app.register("Bob Ltd").await;
    for (number, route) in with_id.iter().enumerate() {
        let ann = app.register(&format!("Ann {number}")).await;
        let (_, id) = objects(&app, &ann)
            .await
            .into_iter()
            .find(|it| route.path.starts_with(it.0))
            .unwrap_or_else(|| panic!("give `objects` one of {}", route.path));
        let mut path = match route.path.ends_with("/record") {
            true => format!(
                "/api/v1/dcl/views/accounts/record?connection_id={id}&object=crm.account&source_id=1"
            ),
            false => route.path.clone(),
        };
        for name in ["{id}", "{connection}", "{entity}", "{view}"] {
            path = path.replace(name, &id);
        }
        let path = path.replace("{object}", "crm.account");
        let field = match path.contains("/fields/") {
            true => "subject",
            false => "name",
        };
        let mut path = path.replace("{field}", field);
        let body = match route.method {
            Method::PATCH if path.contains("/users/") => r#"{"role":"viewer"}"#,
            Method::PATCH if path.contains("/fields/") => r#"{"description":"taken over"}"#,
            Method::PATCH => r#"{"name":"taken over"}"#,
            Method::PUT => r#"{"ignored":false}"#,
            Method::POST if path.ends_with("/activate") => r#"{"version":1,"reason":"r"}"#,
            Method::POST if path.ends_with("/reject") => r#"{"entity":"account","fields":{}}"#,
            Method::POST if path.contains("/mappings/") => MAPPING,
            Method::POST if path.contains("/fields/") => r#"{"name":"mine","type":"text"}"#,
            _ if path.ends_with("/discard") => r#"{"reason":"of no use"}"#,
            _ => "{}",
        };
        if path.ends_with("/schemas/diff") {
            path.push_str("?object=crm.account&from=1&to=2");
        } else if path.ends_with("/diff") {
            path.push_str("?from=1&to=1");
        }
        let call = async |person| {
            app.send(
                route.method.clone(),
                &path,
                Some(person),
                Body::from(body),
                &[JSON],
            )
            .await
        };
        let refused = call(&bob).await;
        assert_eq!(
            refused.status,
            StatusCode::NOT_FOUND,
            "{route:?}: {refused}"
        );
        let own = call(&ann).await;
        let reached = own.status.is_success() || own.status == StatusCode::CONFLICT;
        assert!(reached, "{route:?}: {own}");
    }
}

#[tokio::test]
async fn a_connection_of_another_tenant_takes_nothing() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    let (_, connection) = objects(&app, &ann).await.remove(0);
    let file = "account_id,name\n2,Planted\n";
    let upload = upload_to(
        &app,
        &bob,
        &connection,
        &[("accounts_crm.csv", file.as_bytes())],
    )
    .await;
    assert_eq!(upload.status, StatusCode::NOT_FOUND, "{upload}");
    let event = json!({
        "source": { "system": "crm", "connection_id": connection },
        "entity": "account",
        "op": "upsert",
        "data": { "account_id": "2", "name": "Planted" },
    });
    let events = app.post("/api/v1/events", &bob, event).await;
    assert_eq!(events.status, StatusCode::UNPROCESSABLE_ENTITY, "{events}");
    assert_eq!(events.json()["errors"][0]["detail"], "connection not found");
    for path in ["/api/v1/dcl/views/accounts", "/api/v1/aam/connections"] {
        let seen = app.get(path, &bob).await;
        assert!(
            !String::from_utf8_lossy(&seen.body).contains("Acme"),
            "{seen}"
        );
    }
    let own = app.get("/api/v1/dcl/views/accounts", &ann).await.json();
    assert_eq!(own["meta"]["total"], 1, "{own}");
}
