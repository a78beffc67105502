//! Connections: linked, listed, changed, taken away, and nobody else's.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::app::TestApp;
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::upload_files;
use tests::fixtures::json::pick;

const PATH: &str = "/api/v1/aam/connections";

#[tokio::test]
async fn a_connection_is_made_changed_and_listed() {
    let app = TestApp::start().await;
    let person = app.register("Links Ltd").await;
    let new = json!({ "name": "Files", "source_type": "FileSource", "connector_config": {} });
    let made = app.post(PATH, &person, new.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made}");
    let made = made.json();
    assert_eq!(pick(&made, "source_type status"), "filesource ACTIVE");
    let again = app.post(PATH, &person, new.clone()).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{again}");

    let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&one, &person).await.json(), made);
    let change = json!({ "name": "Other", "connector_config": { "short_rows": "pad" } });
    let changed = app.patch(&one, &person, change).await.json();
    assert_eq!(
        (&changed["name"], &changed["created_at"]),
        (&json!("Other"), &made["created_at"])
    );
    assert_eq!(changed["connector_config"]["short_rows"], "pad");

    app.post(PATH, &person, new).await;
    let taken = app.patch(&one, &person, json!({ "name": "Files" })).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{taken}");
    let page = app
        .get(&format!("{PATH}?limit=1&source_type=FILESOURCE"), &person)
        .await
        .json();
    assert_eq!(pick(&page, "total connections/0/name"), "2 Files");
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = format!("{PATH}?limit=1&source_type=filesource&cursor={cursor}");
    let next = app.get(&next, &person).await.json();
    assert_eq!(pick(&next, "connections/0/name"), "Other");
    let none = app
        .get(&format!("{PATH}?status=FAILED"), &person)
        .await
        .json();
    assert_eq!(
        (&none["total"], &none["connections"]),
        (&json!(0), &json!([]))
    );
}

#[tokio::test]
async fn a_wrong_connection_is_refused_with_a_json_pointer() {
    let app = TestApp::start().await;
    let person = app.register("Wrong Ltd").await;
    let right = json!({ "name": "F", "source_type": "filesource", "connector_config": {} });
    let table: [(&str, Value, u16, &str); 9] = [
        (
            "source_type",
            json!("oracle"),
            400,
            "supported are filesource",
        ),
        ("name", json!(""), 422, "/name"),
        ("name", json!("x".repeat(256)), 422, "/name"),
        ("name", json!("a\0b"), 422, "/name"),
        ("name", json!(1), 422, "/name"),
        (
            "connector_config",
            json!({ "password": "x" }),
            422,
            "/connector_config/password",
        ),
        (
            "connector_config",
            json!({ "short_rows": 1 }),
            422,
            "/connector_config/short_rows",
        ),
        ("connector_config", json!([]), 422, "/connector_config"),
        (
            "credential_locator",
            json!("secretsmanager:x"),
            422,
            "/credential_locator",
        ),
    ];
    for (field, value, status, said) in table {
        let mut new = right.clone();
        new[field] = value;
        let answer = app.post(PATH, &person, new.clone()).await;
        assert_eq!(answer.status, status, "{new}: {answer}");
        assert!(answer.detail().contains(said), "{new}: {answer}");
    }
}

#[tokio::test]
async fn another_tenants_connection_is_not_found() {
    let app = TestApp::start().await;
    let owner = app.register("Owner Ltd").await;
    let other = app.register("Other Ltd").await;
    let id = connect_filesource(&app, &owner, json!({})).await;
    upload_files(
        &app,
        &owner,
        &[("accounts_filesource.csv", b"account_id,name\n1,One\n")],
    )
    .await;
    let one = format!("{PATH}/{id}");
    for path in [
        "",
        "/runs",
        "/schemas",
        "/quarantine",
        "/schemas/diff?object=a&from=1&to=1",
    ] {
        let answer = app.get(&format!("{one}{path}"), &other).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    for path in ["/replay", "/quarantine/replay", "/health-check"] {
        let answer = app.post(&format!("{one}{path}"), &other, json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    let change = app.patch(&one, &other, json!({ "name": "Mine" })).await;
    assert_eq!(change.status, StatusCode::NOT_FOUND);
    assert_eq!(app.delete(&one, &other).await.status, StatusCode::NOT_FOUND);
    let discover = format!("/api/v1/filesource/discover?connection_id={id}");
    assert_eq!(
        app.get(&discover, &other).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        app.get("/api/v1/aam/connectors", &other).await.json()["total"],
        0
    );
    assert_eq!(app.get(&one, &owner).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_connection_leaves_no_row() {
    let app = TestApp::start().await;
    let person = app.register("Gone Ltd").await;
    let id = connect_filesource(&app, &person, json!({})).await;
    upload_files(
        &app,
        &person,
        &[
            ("accounts_filesource.csv", b"account_id,name\n1,One\n2\n"),
            ("accounts_filesource.csv", b"account_id,title\n1,One\n"),
            ("contacts_filesource.csv", b"contact_id\nc\n"),
            (
                "opportunities_filesource.csv",
                b"opportunity_id,name\no,O\n",
            ),
            (
                "aws_resources_filesource.csv",
                b"resource_id,resource_type,region\nr,EC2,eu\n",
            ),
        ],
    )
    .await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
        where column_name = 'connection_id' and table_schema = 'public'",
    )
    .fetch_all(&app.database().pool())
    .await
    .unwrap();
    let mut filled = 0;
    for gone in [false, true] {
        if gone {
            let answer = app.delete(&format!("{PATH}/{id}"), &person).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer}");
            assert_eq!(answer.json()["success"], true);
        }
        for table in &tables {
            let sql = format!("select count(*) from {table} where connection_id = $1::uuid");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(&id)
                .fetch_one(&app.database().pool())
                .await
                .unwrap();
            filled += usize::from(0 < count);
            assert!(!gone || count == 0, "{table} has {count} rows");
        }
    }
    assert!(filled > 8, "only {filled} of {tables:?} had rows");
    assert_eq!(
        app.get(&format!("{PATH}/{id}"), &person).await.status,
        StatusCode::NOT_FOUND
    );
    let verdict = app.get("/api/v1/admin/audit/verify", &person).await.json();
    assert_eq!(verdict["intact"], true, "{verdict}");
}

#[tokio::test]
async fn the_catalog_describes_each_connector() {
    let app = TestApp::start().await;
    let person = app.register("Catalog Ltd").await;
    let catalog = app
        .get("/api/v1/aam/connectors/catalog", &person)
        .await
        .json();
    let entry = &catalog["connectors"][0];
    assert_eq!(entry["name"], "filesource");
    assert_eq!(entry["capabilities"], json!(["upload", "replay"]));
    assert_eq!(entry["config_schema"]["additionalProperties"], false);
    assert_eq!(
        entry["entities"].as_array().unwrap().len(),
        schema::entity::ENTITIES.len()
    );
}

#[tokio::test]
async fn a_cursor_is_good_for_one_filter_of_one_list() {
    let app = TestApp::start().await;
    let person = app.register("Filter Ltd").await;
    for name in ["A", "B"] {
        let new = json!({ "name": name, "source_type": "filesource", "connector_config": {} });
        app.post(PATH, &person, new).await;
    }
    let first = format!("{PATH}?limit=1&source_type=filesource&status=ACTIVE");
    let page = app.get(&first, &person).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    for (list, expected) in [
        (format!("{PATH}?source_type=filesource&status=ACTIVE"), 200),
        (
            format!("{PATH}?status=AC%54IVE&source_type=FileSource"),
            200,
        ),
        (format!("{PATH}?source_type=filesource"), 422),
        (format!("{PATH}?status=ACTIVE"), 422),
        (format!("{PATH}?source_type=filesource&status=FAILED"), 422),
        (format!("{PATH}?"), 422),
        ("/api/v1/aam/connectors?".to_owned(), 422),
        ("/api/v1/tasks?".to_owned(), 422),
    ] {
        let answer = app.get(&format!("{list}&cursor={cursor}"), &person).await;
        assert_eq!(answer.status.as_u16(), expected, "{list}: {answer}");
        if expected == 200 {
            let rest = answer.json();
            assert_eq!(
                (&rest["total"], &rest["connections"][0]["name"]),
                (&json!(2), &json!("A"))
            );
        } else {
            let detail = "not a cursor of this list: start again without it";
            let error = json!([{ "pointer": "?cursor", "detail": detail }]);
            assert_eq!(answer.problem()["errors"], error);
        }
    }
}

#[tokio::test]
async fn a_parameter_that_a_list_does_not_have_is_refused_by_name() {
    let app = TestApp::start().await;
    let person = app.register("Unknown Ltd").await;
    let filtered = "expected one of `source_type`, `status`, `limit`, `cursor`";
    for (list, pointer, detail) in [
        (
            format!("{PATH}?sort=name"),
            "?sort",
            format!("unknown field `sort`, {filtered}"),
        ),
        (
            "/api/v1/aam/connectors?status=ACTIVE".to_owned(),
            "?status",
            "unknown field `status`, expected `limit` or `cursor`".to_owned(),
        ),
        (
            format!("{PATH}?limit=many"),
            "?limit",
            "is not a whole number".to_owned(),
        ),
        (
            format!("{PATH}?limit=1&limit=1"),
            "?",
            "duplicate field `limit`".to_owned(),
        ),
    ] {
        let answer = app.get(&list, &person).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let error = json!([{ "pointer": pointer, "detail": detail }]);
        assert_eq!(answer.problem()["errors"], error, "{list}");
    }
}
