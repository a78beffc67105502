//! Nonsense for every operation of the routers' own document: none of it is our failure.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use tests::app::{Answer, Person, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::users::login;
use uuid::Uuid;

const HERE: &str = "@@here@@";

/// Bodies that fit nothing.
fn bodies() -> Vec<Vec<u8>> {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth)).into_bytes();
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "true",
        "[]",
        "{}",
        "[{}]",
        "[null]",
        "\"x\"",
        "1e999",
        "-0.0",
        "123456789012345678901234567890",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "{\"\\u0000\":1}",
        "{\"a\":1}x",
        "{\"a\":1,\"a\":2}",
        "\u{feff}{}",
        "0x10",
        "NaN",
    ]
    .map(|it| it.as_bytes().to_vec())
    .to_vec();
    bodies.extend([
        deep(64),
        deep(127),
        deep(5000),
        vec![0xff, 0xfe],
        vec![0; 64],
    ]);
    bodies
}

/// Values for a field, as JSON text.
fn values() -> Vec<String> {
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    let long = format!("\"{}\"", "x".repeat(100_000));
    let plain = [
        "null",
        "true",
        "-1",
        "0",
        "1e300",
        "1e999",
        "99999999999999999999",
        "\"\"",
        "\" \"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "\"\\ud800\"",
        "\"\\u202e\\ufffe\\uffff\"",
        "\"💥\"",
        "\"'; drop table users; --\"",
        "[]",
        "{}",
        "[\"\\u0000\"]",
        "{\"\\u0000\":\"\\u0000\"}",
        "{\"a\":{\"b\":\"\\u0000\"}}",
        "{\"n\":1e300}",
        "{\"n\":-0.0}",
    ];
    plain
        .into_iter()
        .map(str::to_owned)
        .chain([deep, long])
        .collect()
}

/// Parts of a path or values of a query parameter, encoded.
fn parts() -> Vec<String> {
    let plain = [
        "%00",
        "a%00b",
        "%FF%FE",
        "%C3%28",
        "%ED%A0%80",
        "%",
        "%ZZ",
        "..",
        "%2e%2e%2f",
        "%2F",
        "'%3B--",
        "-1",
        "0",
        "1e999",
        "99999999999999999999",
        "%F0%9F%92%A5",
        "%25s%25n",
        "null",
        "00000000-0000-0000-0000-000000000000",
        "2024-13-45T99:99:99Z",
        "+262142-12-31T23:59:59Z",
        "-262143-01-01T00:00:00Z",
        "9999999999999-01-01",
    ];
    plain
        .into_iter()
        .map(str::to_owned)
        .chain(["x".repeat(10_000)])
        .collect()
}

struct Operation {
    method: Method,
    path: String,
    query: Vec<String>,
    /// A body that the document would have, if it documents one in JSON.
    sample: Option<Map<String, Value>>,
}

async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.get("/openapi.json", None).await.json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array();
            let query = parameters.into_iter().flatten();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                query: query
                    .filter(|it| it["in"] == "query")
                    .map(|it| it["name"].as_str().unwrap().to_owned())
                    .collect(),
                sample: sample(&document, schema, 0).as_object().cloned(),
            });
        }
    }
    assert!(operations.len() > 20);
    operations
}

/// A value that the schema takes, near enough.
fn sample(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document
            .pointer(&name[1..])
            .expect("a schema that is there");
        return sample(document, schema, depth);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let choices = schema[choice].as_array().into_iter().flatten();
        if let Some(first) = choices.into_iter().find(|it| it["type"] != "null") {
            return sample(document, first, depth);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kinds = &schema["type"];
    let is =
        |kind: &str| *kinds == kind || kinds.as_array().is_some_and(|it| it.contains(&json!(kind)));
    if is("object") && depth < 5 {
        let fields = schema["properties"].as_object().into_iter().flatten();
        let fields = fields.map(|(name, it)| {
            let value = known(name).unwrap_or_else(|| sample(document, it, depth + 1));
            (name.clone(), value)
        });
        return Value::Object(fields.collect());
    }
    if is("array") && depth < 5 {
        return json!([sample(document, &schema["items"], depth + 1)]);
    }
    if is("integer") || is("number") {
        return json!(1);
    }
    if is("boolean") {
        return json!(true);
    }
    match schema["format"].as_str() {
        Some("uuid") => json!(Uuid::nil()),
        Some("email") => json!("ada@acme.example"),
        Some("date-time") => json!("2024-01-01T00:00:00Z"),
        Some("password") => json!("correct horse battery"),
        _ => json!("x"),
    }
}

/// A value for the fields of which only some values get further.
fn known(name: &str) -> Option<Value> {
    match name {
        "source_type" => Some(json!("FileSource")),
        "connector_config" => Some(json!({})),
        "credential_locator" => Some(Value::Null),
        _ => None,
    }
}

/// The path with `part` for each of its parameters.
fn filled(path: &str, part: &str) -> String {
    let parts = path
        .split('/')
        .map(|it| if it.starts_with('{') { part } else { it });
    parts.collect::<Vec<_>>().join("/")
}

/// Who calls, and what went wrong so far.
struct Attack {
    app: TestApp,
    admin: Person,
    failures: Vec<String>,
}

impl Attack {
    async fn start() -> Attack {
        let app = TestApp::start().await;
        let admin = app.register("Ann Ltd").await;
        Attack {
            app,
            admin,
            failures: Vec::new(),
        }
    }

    async fn send(&mut self, method: &Method, path: &str, body: &[u8]) -> Option<Answer> {
        // What is no URI comes through no server.
        let uri: Uri = path.parse().ok()?;
        let request = Request::builder()
            .method(method.clone())
            .uri(uri)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.admin.token),
            )
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_vec()))
            .unwrap();
        let answer = self.app.call(request).await;
        if answer.status.is_server_error() {
            let cut = |it: &str| it.chars().take(200).collect::<String>();
            let body = String::from_utf8_lossy(body);
            self.failures.push(format!(
                "{method} {}\n  {}\n  {answer}",
                cut(path),
                cut(&body)
            ));
        } else if answer.status.is_client_error() {
            answer.problem();
        } else if path == "/api/v1/auth/password" {
            // A changed password ends the token that changed it, and brings another.
            let token = answer.json()["access_token"].as_str().map(str::to_owned);
            self.admin.token = token.expect("a token");
        }
        if *method == Method::DELETE && path == "/api/v1/auth/sessions" {
            self.admin = login(&self.app, &self.admin).await;
        }
        Some(answer)
    }

    fn end(self) {
        let failures = &self.failures;
        assert!(
            failures.is_empty(),
            "{} failures:\n{}",
            failures.len(),
            failures.join("\n")
        );
    }
}

#[tokio::test]
async fn no_body_is_our_failure() {
    let mut attack = Attack::start().await;
    let id = connect_filesource(&attack.app, &attack.admin, json!({})).await;
    for operation in operations(&attack.app).await {
        let whole = operation.method == Method::DELETE;
        let part = if whole {
            Uuid::nil().to_string()
        } else {
            id.clone()
        };
        let path = filled(&operation.path, &part);
        for body in bodies() {
            attack.send(&operation.method, &path, &body).await;
        }
    }
    attack.end();
}

#[tokio::test]
async fn no_field_is_our_failure() {
    let mut attack = Attack::start().await;
    let id = connect_filesource(&attack.app, &attack.admin, json!({})).await;
    let mut fields = 0;
    for operation in operations(&attack.app).await {
        let Some(sample) = &operation.sample else {
            continue;
        };
        let path = filled(&operation.path, &id);
        for name in sample.keys() {
            fields += 1;
            for value in values() {
                let mut body = sample.clone();
                body.insert(name.clone(), json!(HERE));
                let body = Value::Object(body).to_string();
                let body = body.replace(&format!("\"{HERE}\""), &value);
                let answer = attack.send(&operation.method, &path, body.as_bytes()).await;
                let nul = value.contains("\\u0000") && operation.path != "/api/v1/events";
                if let Some(answer) = answer.filter(|_| nul) {
                    let refused = answer.status == StatusCode::UNPROCESSABLE_ENTITY;
                    assert!(refused, "{path} {name} {value}: {answer}");
                }
            }
        }
    }
    assert!(fields > 10, "only {fields} fields");
    attack.end();
}

#[tokio::test]
async fn no_address_is_our_failure() {
    let mut attack = Attack::start().await;
    let id = connect_filesource(&attack.app, &attack.admin, json!({})).await;
    for operation in operations(&attack.app).await {
        let method = &operation.method;
        for part in parts() {
            if operation.path.contains('{') {
                attack
                    .send(method, &filled(&operation.path, &part), b"{}")
                    .await;
            }
            let path = filled(&operation.path, &id);
            if *method != Method::GET {
                continue;
            }
            for name in operation
                .query
                .iter()
                .map(String::as_str)
                .chain(["unknown"])
            {
                attack
                    .send(method, &format!("{path}?{name}={part}"), b"")
                    .await;
            }
            attack.send(method, &format!("{path}?{part}"), b"").await;
        }
    }
    attack.end();
}
