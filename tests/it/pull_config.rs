//! What a connection to a PostgreSQL says, and what is kept secret of it.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use schema::EgressPolicy;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::app::{Setup, TestApp};
use tests::fixtures::connections::CONNECTIONS;
use tests::fixtures::jobs::finish_job;
use tests::fixtures::postgres_source::{
    ACCOUNTS_TABLE, accounts_object, connect_postgres, new_postgres_connection,
    set_up_postgres_source, sync,
};
use tests::source::{SECRET, Source};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[tokio::test]
async fn a_source_that_cannot_be_read_is_refused_with_a_json_pointer_and_an_error_class() {
    let tables = format!(
        "{ACCOUNTS_TABLE}
        create table logs (line text);
        create table secret (id int primary key);
        revoke all on secret from source_reader;
        create schema closed; create table closed.t (id int primary key);"
    );
    let (app, source) = (TestApp::start().await, Source::start(&tables).await);
    let person = app.register("Wrong Ltd").await;
    let object = |value: Value| json!([value]);
    let table: [(&str, Value, &str, &str); 12] = [
        (
            "password",
            json!("guess"),
            "/password",
            "auth: the source refuses `source_reader`",
        ),
        (
            "user",
            json!("nobody"),
            "/password",
            "auth: the source refuses `nobody`",
        ),
        (
            "database",
            json!("none"),
            "/database",
            "schema: the server has no database `none`",
        ),
        (
            "port",
            json!(1),
            "/host",
            "network: the server `localhost` cannot be reached",
        ),
        (
            "host",
            json!("no.such.host.invalid"),
            "/host",
            "network: the host `no.such.host.invalid` has no address",
        ),
        (
            "tls",
            json!("verify-full"),
            "/tls",
            "network: no TLS with the server: it offers none: turn it on there",
        ),
        (
            "objects",
            object(json!({ "table": "nowhere", "entity": "account" })),
            "/objects/0/table",
            "schema: the database has no table or view `public.nowhere`",
        ),
        (
            "objects",
            object(json!({ "table": "logs", "entity": "account" })),
            "/objects/0/key",
            "schema: `public.logs` has no primary key",
        ),
        (
            "objects",
            object(json!({ "table": "secret", "entity": "account" })),
            "/objects/0/table",
            "permission: `source_reader` may not read `public.secret`",
        ),
        (
            "objects",
            object(json!({ "table": "closed.t", "entity": "account" })),
            "/objects/0/table",
            "permission: `source_reader` may not read `closed.t`",
        ),
        (
            "objects",
            object(json!({ "table": "accounts", "entity": "account", "cursor": "name" })),
            "/objects/0/cursor",
            "schema: `name` of `public.accounts` is of the type text",
        ),
        (
            "objects",
            object(json!({ "table": "accounts", "entity": "lead" })),
            "/objects/0/entity",
            "one of account",
        ),
    ];
    for (field, value, pointer, said) in table {
        let mut config = source.config(accounts_object());
        config[field] = value;
        let answer = app
            .post(CONNECTIONS, &person, new_postgres_connection(&config))
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let error = &answer.json()["errors"][0];
        assert_eq!(
            error["pointer"],
            format!("/connector_config{pointer}"),
            "{answer}"
        );
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.starts_with(said), "{detail}");
        assert!(!answer.to_string().contains(SECRET), "{answer}");
    }
    assert_eq!(app.get(CONNECTIONS, &person).await.json()["total"], 0);
}

#[tokio::test]
async fn a_deployed_platform_contacts_no_machine_of_its_own_network() {
    let source = Source::start(ACCOUNTS_TABLE).await;
    for egress in [EgressPolicy::Public, EgressPolicy::Private] {
        let app = TestApp::with(Setup {
            egress,
            ..Setup::default()
        })
        .await;
        let person = app.register("Knock Ltd").await;
        for host in [
            "localhost",
            "127.0.0.1",
            "169.254.169.254",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
        ] {
            let mut config = source.config(accounts_object());
            config["host"] = json!(host);
            let answer = app
                .post(CONNECTIONS, &person, new_postgres_connection(&config))
                .await;
            assert_eq!(
                answer.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{host}: {answer}"
            );
            assert!(
                answer.detail().contains("may not contact it"),
                "{host}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn the_server_must_prove_itself() {
    let source = Source::with_tls(&["localhost"], ACCOUNTS_TABLE).await;
    let stranger = Source::with_tls(&["elsewhere"], ACCOUNTS_TABLE).await;
    let app = TestApp::start().await;
    let person = app.register("TLS Ltd").await;
    let table = [
        (&source, "verify-full", source.ca_pem(), 201),
        (&source, "verify-ca", source.ca_pem(), 201),
        (&source, "verify-full", "", 422),
        (&source, "verify-full", stranger.ca_pem(), 422),
        (&stranger, "verify-full", stranger.ca_pem(), 422),
        (&stranger, "verify-ca", stranger.ca_pem(), 201),
        (&stranger, "verify-ca", source.ca_pem(), 422),
    ];
    for (index, (source, tls, ca_pem, status)) in table.into_iter().enumerate() {
        let mut config = source.config(accounts_object());
        config["tls"] = json!(tls);
        if !ca_pem.is_empty() {
            config["ca_pem"] = json!(ca_pem);
        }
        let mut new = new_postgres_connection(&config);
        new["name"] = json!(format!("{index}"));
        let answer = app.post(CONNECTIONS, &person, new).await;
        assert_eq!(answer.status, status, "{index}: {answer}");
        if status == 422 {
            assert_eq!(
                answer.json()["errors"][0]["pointer"],
                "/connector_config/tls",
                "{answer}"
            );
        }
    }
}

/// Everything that is ever logged, at any level, by anybody.
struct Everything(Mutex<String>);

impl Visit for Everything {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = self.0.get_mut().unwrap();
        writeln!(text, "{field}={value:?}").unwrap();
    }
}

impl Everything {
    fn add(&self, visit: impl FnOnce(&mut Everything)) {
        let mut seen = Everything(Mutex::default());
        visit(&mut seen);
        self.0
            .lock()
            .unwrap()
            .push_str(&seen.0.into_inner().unwrap());
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.add(|it| span.record(it));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        self.add(|it| values.record(it));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        self.add(|it| event.record(it));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_password_is_nowhere_to_be_read() {
    let (app, source) = (TestApp::start().await, Source::start(ACCOUNTS_TABLE).await);
    let logged = Arc::new(Everything(Mutex::default()));
    let _logging = tracing::subscriber::set_default(Arc::clone(&logged));
    let person = app.register("Quiet Ltd").await;
    let id = connect_postgres(&app, &person, source.config(accounts_object())).await;
    sync(&app, &person, &id, json!({})).await;
    let one = format!("{CONNECTIONS}/{id}");
    app.patch(&one, &person, json!({ "name": "Other" })).await;
    app.post(&format!("{one}/health-check"), &person, json!({}))
        .await;
    source.run("drop table accounts").await;
    sync(&app, &person, &id, json!({})).await;
    for path in [
        CONNECTIONS,
        &one,
        "/api/v1/aam/connectors",
        "/api/v1/tasks",
        &format!("{one}/runs"),
    ] {
        let answer = app.get(path, &person).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer}");
        assert!(!answer.to_string().contains(SECRET), "{path}: {answer}");
    }
    let shown = app.get(&one, &person).await.json();
    assert_eq!(
        shown["connector_config"]["password"], "[redacted]",
        "{shown}"
    );

    let pool = app.database().pool();
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(tables.len() > 25, "{tables:?}");
    let logged = logged.0.lock().unwrap().clone();
    assert!(
        logged.contains("pg_catalog.pg_class"),
        "sqlx logs what it asks"
    );
    assert!(!logged.contains(SECRET));
    // A bytea is hexadecimal as text.
    let hex: String = SECRET.bytes().map(|it| format!("{it:02x}")).collect();
    for table in tables {
        let sql = format!(
            "select count(*) from {table} t where strpos(t::text, $1) > 0 or strpos(t::text, $2) > 0"
        );
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(SECRET)
            .bind(&hex)
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(found, 0, "{table}");
    }
    let sealed = "select count(*) from connections where length(sealed_secrets) > 40";
    let sealed: i64 = sqlx::query_scalar(sealed).fetch_one(&pool).await.unwrap();
    assert_eq!(sealed, 1);

    app.delete(&one, &person).await;
    for table in ["connections", "sync_positions"] {
        let sql = format!("select count(*) from {table}");
        let left: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_password_stays_with_its_source() {
    let (app, source, person, id) = set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let one = format!("{CONNECTIONS}/{id}");
    // As an answer shows it.
    let mut config = app.get(&one, &person).await.json()["connector_config"].clone();
    config["objects"][0]["cursor"] = json!("updated_at");
    let answer = app
        .patch(&one, &person, json!({ "connector_config": config }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    assert_eq!(answer.json()["connector_config"]["password"], "[redacted]");
    assert_eq!(
        sync(&app, &person, &id, json!({})).await["status"],
        "success"
    );

    // Whoever could lead it to a server of theirs would learn it there.
    let elsewhere = Source::start(ACCOUNTS_TABLE).await;
    for (field, value) in [
        ("port", json!(elsewhere.port())),
        ("host", json!("127.0.0.1")),
        ("user", json!("postgres")),
    ] {
        let mut config = config.clone();
        config[field] = value;
        let answer = app
            .patch(&one, &person, json!({ "connector_config": config }))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{field}: {answer}"
        );
        assert_eq!(
            answer.json()["errors"][0]["pointer"],
            "/connector_config/password"
        );
    }
    elsewhere
        .run("delete from accounts where account_id > '0010'")
        .await;
    let moved = json!({ "connector_config": elsewhere.config(accounts_object()) });
    let running = app.post(&format!("{one}/sync"), &person, json!({})).await;
    let early = app.patch(&one, &person, moved.clone()).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{early}");
    finish_job(&app, &person, running).await;
    assert_eq!(app.patch(&one, &person, moved).await.status, StatusCode::OK);
    // Nothing is known of how far the other source was read.
    let confirmed = json!({ "confirm_deletes": true });
    let done = sync(&app, &person, &id, confirmed).await;
    assert_eq!(
        (&done["result"]["rows_read"], &done["result"]["deleted"]),
        (&json!(1200), &json!(1190)),
        "{done}"
    );
    drop(source);
}

#[tokio::test]
async fn the_catalog_marks_what_is_secret() {
    let app = TestApp::start().await;
    let person = app.register("Catalog Ltd").await;
    let catalog = app
        .get("/api/v1/aam/connectors/catalog", &person)
        .await
        .json();
    for name in ["supabase", "postgres"] {
        let connectors = catalog["connectors"].as_array().unwrap();
        let entry = connectors.iter().find(|it| it["name"] == name).unwrap();
        let properties = &entry["config_schema"]["properties"];
        assert_eq!(properties["password"]["writeOnly"], true, "{entry:#}");
        assert_eq!(properties["port"]["default"], 5432);
        let object = &properties["objects"]["items"]["properties"];
        assert_eq!(object["table"]["type"], "string", "{entry:#}");
        assert_eq!(entry["capabilities"], json!(["sync", "discover", "replay"]));
    }
    let source = Source::start(ACCOUNTS_TABLE).await;
    let mut new = new_postgres_connection(&source.config(accounts_object()));
    new["source_type"] = json!("Postgres");
    let made = app.post(CONNECTIONS, &person, new).await.json();
    assert_eq!(made["source_type"], "postgres", "{made}");
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        sync(&app, &person, id, json!({})).await["result"]["written"],
        1200
    );
}
