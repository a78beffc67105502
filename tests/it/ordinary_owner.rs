//! Who owns the tables may make roles and is no superuser, as the user of a managed PostgreSQL:
//! row-level security binds the functions of the database that work as the owner.

use axum::http::StatusCode;
use platform::db::{self, roles};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection};
use tests::app::{PASSWORD, Setup, TestApp};
use tests::fixtures::connections::connect_filesource;
use tests::fixtures::files::upload_files;
use tests::fixtures::jobs::{finish_job, run_schedule};
use tests::fixtures::users::{create_api_key, key_holder, status_of_me};
use tests::postgres::empty_database;
use uuid::Uuid;

/// A platform over tables of such an owner, and the owner's name.
async fn start() -> (TestApp, String) {
    let database = empty_database().await;
    let owner = format!("owner_{}", Uuid::now_v7().simple());
    // Roles are the cluster's: other tests have made these.
    let made = tests::postgres::database().await;
    let sql = format!(
        "create role {owner} login createrole;
        grant autonomos_app, autonomos_sweeper, autonomos_accounts, autonomos_queue to {owner}
          with admin option;
        do $$ begin execute format('alter database %I owner to {owner}', current_database()); end $$"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&database.pool())
        .await
        .unwrap();
    drop(made);
    let options = database.options().username(&owner);
    let mut conn = roles::connect(&options).await.unwrap();
    db::migrate(&mut conn).await.unwrap();
    let key = tests::app::secrets();
    let key: platform::secrets::Document = serde_json::from_str(key).unwrap();
    let login = roles::admit_local(&mut conn, options, key.keys.platform.current());
    let login = login.await.unwrap();
    conn.close().await.unwrap();
    (
        TestApp::over(database, login, Setup::default()).await,
        owner,
    )
}

#[tokio::test]
async fn an_owner_who_is_no_superuser_is_enough() {
    let (app, owner) = start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    let key = key_holder(&create_api_key(&app, &ann, &["read"]).await);
    assert_eq!(status_of_me(&app, &key).await, StatusCode::OK);
    let wrong = json!({ "email": ann.email, "password": "not the password" });
    let wrong = app.post("/api/v1/auth/login", None, wrong).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{wrong}");
    let right = json!({ "email": ann.email, "password": PASSWORD });
    let right = app.post("/api/v1/auth/login", None, right).await;
    assert_eq!(right.status, StatusCode::OK, "{right}");

    let id = connect_filesource(&app, &ann, json!({})).await;
    upload_files(
        &app,
        &ann,
        &[("accounts_hubspot.csv", b"id,name\n1,Acme\n2,\n")],
    )
    .await;
    let replay = format!("/api/v1/aam/connections/{id}/replay");
    let replay = app.post(&replay, &ann, json!({})).await;
    let job = finish_job(&app, &ann, replay).await;
    assert_eq!(job["status"], "success", "{job}");
    let field = json!({ "name": "tier", "type": "text", "description": "How much they matter." });
    let field = app.post("/api/v1/dcl/fields/account", &ann, field).await;
    assert!(field.status.is_success(), "{field}");
    let limits = format!(
        "set role {owner}; call limit_tenant('{}', '9/9', '9/9')",
        ann.tenant
    );
    sqlx::raw_sql(AssertSqlSafe(limits))
        .execute(&app.database().pool())
        .await
        .unwrap();
    run_schedule(&app, "sweep").await;
    assert!(
        !platform::audit::anchor(&app.platform.db)
            .await
            .unwrap()
            .is_empty()
    );
    let verdict = app.get("/api/v1/admin/audit/verify", &ann).await.json();
    assert_eq!(verdict["intact"], true, "{verdict}");
    let seen = app.get("/api/v1/dcl/views/accounts", &zoe).await.json();
    assert_eq!(seen["meta"]["total"], 0, "{seen}");

    let deleted = app.delete("/api/v1/auth/tenant?name=Ann%20Ltd", &ann).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted}");
    for table in ["accounts", "raw_records", "audit_log", "tenants"] {
        let column = if table == "tenants" {
            "id"
        } else {
            "tenant_id"
        };
        let sql = format!(
            "select count(*) from {table} where {column} = '{}'",
            ann.tenant
        );
        let left: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(app.owner())
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    assert_eq!(status_of_me(&app, &zoe).await, StatusCode::OK);
    leave(&app, &owner).await;
}

/// Takes the roles away again, which are not the test's own database's.
async fn leave(app: &TestApp, owner: &str) {
    let login: String = sqlx::query_scalar("select session_user::text")
        .fetch_one(&mut *app.platform.db.acquire().await.unwrap())
        .await
        .unwrap();
    let sql = format!(
        "drop role {login}; reassign owned by {owner} to postgres; drop owned by {owner};
        drop role {owner}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(app.owner())
        .await
        .unwrap();
}
