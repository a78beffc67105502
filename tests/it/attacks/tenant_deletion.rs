//! Somebody looks for what is left of a tenant that was deleted, or deletes one that is not theirs.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use platform::data_key::DataKey;
use platform::db::{self, accounts};
use schema::TenantId;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tests::app::{Answer, JSON, PASSWORD, Person, TestApp};
use tests::fixtures::connections::create_connection;
use tests::fixtures::database::{count, execute};
use tests::fixtures::jobs::run_schedule;
use tests::fixtures::own_data::World;
use tests::fixtures::users::{create_api_key, invite, join, key_holder, status_of_me};

const TENANT: &str = "/api/v1/auth/tenant";

async fn delete(app: &TestApp, person: &Person, name: &str) -> Answer {
    let name = name.replace(' ', "%20");
    app.delete(&format!("{TENANT}?name={name}"), person).await
}

/// How many rows of each table name the tenant, in whatever column.
async fn rows_of(app: &TestApp, tenant: TenantId) -> BTreeMap<String, i64> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(app.owner())
    .await
    .unwrap();
    let mut found = BTreeMap::new();
    for table in tables {
        let sql = format!("select count(*) from {table} t where t::text like '%{tenant}%'");
        let rows = count(app, sql).await;
        if rows > 0 {
            found.insert(table, rows);
        }
    }
    found
}

/// A tenant with rows in most tables.
async fn full_tenant() -> World {
    let world = World::with_file("people.csv", "id,name\n1,Ada\n2,\n").await;
    let (app, ann) = (&world.app, &world.ann);
    world
        .upload("accounts_hubspot.csv", "id,name\n1,Acme\n2,\n")
        .await;
    let field = json!({ "name": "tier", "type": "text", "description": "How much they matter." });
    world.post("/api/v1/dcl/fields/account", field).await;
    let index = "/api/v1/dcl/fields/account/tier/index";
    let indexed = world.send(Method::PUT, index, json!({})).await;
    assert!(indexed.status.is_success(), "{indexed}");
    let entity = json!({ "name": "ticket", "key": ["id"],
        "fields": [{ "name": "id", "type": "integer" }] });
    world.post("/api/v1/dcl/entities", entity).await;
    // What secrets of connections are sealed under.
    let mut tx = db::begin(&app.platform.db, ann.tenant).await.unwrap();
    let made = DataKey::of(&mut tx, &app.platform.secrets, ann.tenant).await;
    made.unwrap();
    tx.commit().await.unwrap();
    invite(app, ann, "bob@acme.example", "member").await;
    create_api_key(app, ann, &["read"]).await;
    let once = [JSON, ("idempotency-key", "once")];
    let body = Body::from(json!({ "name": "kept", "scopes": ["read"] }).to_string());
    let keys = "/api/v1/auth/api-keys";
    app.send(Method::POST, keys, Some(ann), body, &once).await;
    let tenant = ann.tenant;
    for sql in [
        format!("call limit_tenant('{tenant}', '9/9', '9/9')"),
        format!(
            "insert into jobs (tenant_id, id, kind, payload) values ('{tenant}', '{tenant}', 'x', '{{}}')"
        ),
        format!("insert into job_queue (tenant_id, job_id) values ('{tenant}', '{tenant}')"),
        format!("insert into job_turns values ('{tenant}', now()) on conflict do nothing"),
    ] {
        execute(app, sql).await;
    }
    world
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_tenant_in_any_table() {
    let world = full_tenant().await;
    let (app, ann) = (&world.app, &world.ann);
    let zoe = app.register("Zoe Ltd").await;
    create_connection(
        app,
        &zoe,
        json!({ "name": "Files", "source_type": "FileSource", "connector_config": {} }),
    )
    .await;
    let (before, others) = (
        rows_of(app, ann.tenant).await,
        rows_of(app, zoe.tenant).await,
    );
    assert!(before.len() > 20, "{before:?}");
    for table in [
        "accounts",
        "raw_records",
        "quarantined_records",
        "tenant_keys",
        "logins",
    ] {
        assert!(before.contains_key(table), "{table} in {before:?}");
    }

    let deleted = delete(app, ann, "Ann Ltd").await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted}");
    assert_eq!(rows_of(app, ann.tenant).await, BTreeMap::new());
    assert_eq!(rows_of(app, zoe.tenant).await, others);
    let indexes = "select count(*) from pg_indexes where indexname like 'custom_field_%'";
    let declared = "custom_fields_pkey', 'custom_fields_id_key";
    let left = format!("{indexes} and indexname not in ('{declared}')");
    assert_eq!(count(app, left).await, 0);

    // Neither their token nor their password opens anything; name and address are free again.
    assert_eq!(status_of_me(app, ann).await, StatusCode::UNAUTHORIZED);
    let login = json!({ "email": ann.email, "password": PASSWORD });
    let login = app.post("/api/v1/auth/login", None, login).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED, "{login}");
    let again = json!({ "name": "Ann Ltd", "email": ann.email, "password": PASSWORD });
    let again = app.post("/api/v1/auth/register", None, again).await;
    assert_eq!(again.status, StatusCode::CREATED, "{again}");
}

#[tokio::test]
async fn a_tenant_is_deleted_by_its_admins_and_by_its_name_only() {
    let app = TestApp::start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    let bob = join(&app, &ann, "bob", "member").await;
    let key = key_holder(&create_api_key(&app, &ann, &["admin"]).await);
    for (person, name, expected) in [
        (&ann, "ann ltd", StatusCode::UNPROCESSABLE_ENTITY),
        (&ann, "Zoe Ltd", StatusCode::UNPROCESSABLE_ENTITY),
        (&ann, "", StatusCode::UNPROCESSABLE_ENTITY),
        (&bob, "Ann Ltd", StatusCode::FORBIDDEN),
        (&key, "Ann Ltd", StatusCode::FORBIDDEN),
        (&zoe, "Ann Ltd", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = delete(&app, person, name).await;
        assert_eq!(answer.status, expected, "{name}: {answer}");
        answer.problem();
    }
    let unnamed = app.delete(TENANT, &ann).await;
    assert!(unnamed.status.is_client_error(), "{unnamed}");
    for person in [&ann, &zoe, &bob] {
        assert_eq!(status_of_me(&app, person).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn sql_of_one_tenant_ends_no_other() {
    let app = TestApp::start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    let mut tx = accounts::begin(&app.platform.db, ann.tenant).await.unwrap();
    let sql = format!("select end_tenant('{}', 'Zoe Ltd')", zoe.tenant);
    let refused = sqlx::query(AssertSqlSafe(sql)).execute(&mut *tx).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("it is another tenant's request"),
        "{refused}"
    );
    drop(tx);
    assert_eq!(status_of_me(&app, &zoe).await, StatusCode::OK);
}

#[tokio::test]
async fn what_a_request_leaves_of_a_deleted_tenant_the_sweep_deletes() {
    let world = full_tenant().await;
    let (app, ann) = (&world.app, &world.ann);
    let mut tx = accounts::begin(&app.platform.db, ann.tenant).await.unwrap();
    let sql = format!("select end_tenant('{}', 'Ann Ltd')", ann.tenant);
    let ended: bool = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(ended);
    let left = rows_of(app, ann.tenant).await;
    assert!(left.contains_key("raw_records"), "{left:?}");
    for table in ["tenant_keys", "users", "logins", "connections", "jobs"] {
        assert!(!left.contains_key(table), "{table} in {left:?}");
    }
    assert_eq!(status_of_me(app, ann).await, StatusCode::UNAUTHORIZED);

    // So many rows at a time as one pass takes.
    let mut passes = 0;
    while count(app, "select purge_ended_tenant(1)").await > 0 {
        passes += 1;
    }
    assert!(passes > 2, "{passes} passes");
    assert_eq!(rows_of(app, ann.tenant).await, BTreeMap::new());

    let zoe = app.register("Zoe Ltd").await;
    let ended = format!(
        "update tenants set deleted_at = now() where id = '{}'",
        zoe.tenant
    );
    execute(app, ended).await;
    run_schedule(app, "sweep").await;
    assert_eq!(
        rows_of(app, zoe.tenant).await,
        BTreeMap::<String, i64>::new()
    );
}
