//! Somebody runs SQL of their own as the login role of a function.

use std::collections::BTreeSet;

use platform::db;
use platform::db::roles::{self, Class, admit};
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};
use tests::app::{Person, TestApp};
use tests::fixtures::connections::connect_filesource;
use uuid::Uuid;

const DEPLOYED: [Class; 3] = [Class::Auth, Class::Api, Class::Worker];

/// Every role that a login role could wish to be.
const ROLES: [&str; 5] = [
    "autonomos_accounts",
    "autonomos_app",
    "autonomos_queue",
    "autonomos_sweeper",
    "postgres",
];

/// Somebody signed in as a function of a class.
struct Intruder {
    conn: PgConnection,
    name: String,
    owner: PgConnection,
}

impl Intruder {
    async fn new(app: &TestApp, class: Class) -> Intruder {
        let name = format!("intruder_{}", Uuid::now_v7().simple());
        let options = app.database().options();
        let mut owner = options.connect().await.unwrap();
        admit(&mut owner, &name, class, None).await.unwrap();
        let conn = options.username(&name).connect().await.unwrap();
        Intruder { conn, name, owner }
    }

    /// Why the statement is refused; none where it is not. Nothing of it stays.
    async fn refusal(&mut self, sql: &str) -> Option<String> {
        let mut tx = self.conn.begin().await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut *tx)
            .await;
        done.err().map(|it| it.to_string())
    }

    async fn assert_denied(&mut self, sql: &str) {
        let refusal = self.refusal(sql).await.unwrap_or_default();
        let denied = ["permission denied", "must be owner", "row-level security"];
        assert!(
            denied.iter().any(|it| refusal.contains(it)),
            "{}, {sql}: {refusal:?}",
            self.name
        );
    }

    async fn text(&mut self, sql: &str) -> String {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut self.conn)
            .await;
        row.unwrap().get(0)
    }

    async fn run(&mut self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        sql.execute(&mut self.conn).await.unwrap();
    }

    /// Takes the login role away again: roles are not the test's own database's.
    async fn leave(mut self) {
        self.conn.close().await.unwrap();
        let drop = format!("drop role {}", self.name);
        sqlx::raw_sql(AssertSqlSafe(drop))
            .execute(&mut self.owner)
            .await
            .unwrap();
    }
}

/// As a request of that person runs it.
async fn within(app: &TestApp, person: &Person, sql: &str) -> String {
    let mut tx = db::begin(&app.platform.db, person.tenant).await.unwrap();
    let proof: String = sqlx::query_scalar("select current_setting('app.tenant_proof')")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let name = format!("set local app.tenant_id = '{}'", person.tenant);
    format!("{name}; set local app.tenant_proof = '{proof}'; {sql}")
}

#[tokio::test]
async fn who_names_another_tenant_sees_and_writes_none_of_its_rows() {
    let app = TestApp::start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    for person in [&ann, &zoe] {
        connect_filesource(&app, person, json!({})).await;
    }
    let count = "select count(*)::text from connections";
    for class in DEPLOYED {
        let mut intruder = Intruder::new(&app, class).await;
        let of_ann = within(&app, &ann, "").await;
        let name_zoe = format!("set local app.tenant_id = '{}'", zoe.tenant);
        for (named, rows) in [
            (of_ann.clone(), "1"),
            (name_zoe.clone(), "0"),
            (format!("{of_ann}{name_zoe}"), "0"),
            (
                format!(
                    "{name_zoe}; set local app.tenant_proof = '{}'",
                    "00".repeat(40)
                ),
                "0",
            ),
            (
                format!("{name_zoe}; set local app.tenant_proof = 'proof'"),
                "0",
            ),
        ] {
            intruder
                .run(&format!("begin; set local role autonomos_app; {named}"))
                .await;
            assert_eq!(intruder.text(count).await, rows, "{class:?}: {named}");
            intruder.run("rollback").await;
        }
        let steal = format!(
            "set local role autonomos_app; {of_ann}{name_zoe};
            insert into jobs (tenant_id, id, kind, payload)
            values ('{}', gen_random_uuid(), 'x', '{{}}')",
            zoe.tenant
        );
        intruder.assert_denied(&steal).await;
        intruder.leave().await;
    }
}

#[tokio::test]
async fn a_login_role_becomes_no_role_that_its_function_does_not_need() {
    let app = TestApp::start().await;
    for class in DEPLOYED {
        let mut intruder = Intruder::new(&app, class).await;
        let needed: &[&str] = match class {
            Class::Auth => &["autonomos_accounts", "autonomos_app"],
            Class::Api => &["autonomos_app"],
            _ => &["autonomos_app", "autonomos_queue", "autonomos_sweeper"],
        };
        for role in ROLES {
            let refusal = intruder.refusal(&format!("set role {role}")).await;
            let possible = refusal.is_none();
            assert_eq!(possible, needed.contains(&role), "{class:?} as {role}");
        }
        intruder
            .assert_denied("set session authorization postgres")
            .await;
        intruder.run("set role autonomos_app; reset role").await;
        assert_eq!(
            intruder.text("select current_user::text").await,
            intruder.name
        );
        intruder.leave().await;
    }
}

#[tokio::test]
async fn a_login_role_owns_nothing_and_makes_nothing() {
    let app = TestApp::start().await;
    for class in DEPLOYED {
        let mut intruder = Intruder::new(&app, class).await;
        for sql in [
            "create table public.mine ()",
            "create function public.mine() returns int language sql as 'select 1'",
            "create schema mine",
            "create role mine",
            "create extension if not exists pg_trgm",
            "alter role postgres nologin",
            "alter table users disable row level security",
            "alter table connections no force row level security",
            "drop policy tenant on connections",
            "alter function caller_of_token(uuid, uuid) security invoker",
            "truncate connections",
            "call protect('connections')",
            "call limit_tenant(gen_random_uuid(), '9/9', '9/9')",
            "copy connections to program 'true'",
            "select pg_read_file('postgresql.conf')",
            "select lo_import('/etc/passwd')",
            "select rolpassword from pg_authid",
            "grant autonomos_sweeper to autonomos_app",
        ] {
            intruder.assert_denied(sql).await;
        }
        intruder.leave().await;
    }
}

/// Tables that only some functions reach; all others have a tenant's rows, for all of them.
fn is_denied(table: &str, class: Class) -> bool {
    match table {
        "_sqlx_migrations" | "audit_keys" => true,
        "users" | "api_keys" | "logins" | "tenants" => class != Class::Auth,
        // The sweep forgets what is over its time.
        "refresh_tokens" | "invitations" | "password_resets" | "sign_in_addresses"
        | "rate_limits" => class == Class::Api,
        "job_turns" => class != Class::Worker,
        _ => false,
    }
}

/// Of which a function must see rows before it knows whose request it is.
fn is_of_all_tenants(table: &str, class: Class) -> bool {
    match table {
        "logins" | "tenants" | "rate_limits" => true,
        // The ends of the chains, to note them outside.
        "audit_heads" => class == Class::Worker,
        _ => false,
    }
}

#[tokio::test]
async fn a_login_role_reads_its_own_tables_and_without_a_tenant_no_row_of_them() {
    let app = TestApp::start().await;
    app.register("Ann Ltd").await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class
        where relkind in ('r', 'p', 'v', 'm') and relnamespace = 'public'::regnamespace",
    )
    .fetch_all(app.owner())
    .await
    .unwrap();
    for class in DEPLOYED {
        let mut intruder = Intruder::new(&app, class).await;
        for table in &tables {
            // Columns are granted one by one, some of them.
            let one = match table.as_str() {
                "tenants" | "connections" => "count(id)",
                _ => "count(*)",
            };
            let sql = format!("select {one}::text from {table}");
            if is_denied(table, class) {
                intruder.assert_denied(&sql).await;
            } else if !is_of_all_tenants(table, class) {
                assert_eq!(intruder.text(&sql).await, "0", "{class:?}, {table}");
            }
        }
        intruder.leave().await;
    }
}

#[tokio::test]
async fn a_login_role_calls_the_functions_that_it_needs_only() {
    let app = TestApp::start().await;
    let functions: Vec<(String, bool, bool)> = sqlx::query_as(
        "select proname::text, prosecdef,
          coalesce(array_to_string(proconfig, ','), '') like '%search_path=%'
        from pg_proc where pronamespace = 'public'::regnamespace",
    )
    .fetch_all(app.owner())
    .await
    .unwrap();
    for (name, of_owner, fixed_path) in &functions {
        assert!(
            !of_owner || *fixed_path,
            "{name} looks where its caller says"
        );
    }
    for class in DEPLOYED {
        let mut intruder = Intruder::new(&app, class).await;
        let called: BTreeSet<String> = sqlx::query_scalar(
            "select proname::text from pg_proc
            where pronamespace = 'public'::regnamespace and has_function_privilege(oid, 'execute')",
        )
        .fetch_all(&mut intruder.conn)
        .await
        .unwrap()
        .into_iter()
        .collect();
        let mut needed = BTreeSet::from([
            "append_audit",
            "knows_audit_key",
            "proven_tenant",
            "caller_of_api_key",
            "caller_of_token",
            "drop_custom_field_index",
            "has_lease",
            "index_custom_field",
            "introduce_audit_key",
            "lock_lease",
        ]);
        match class {
            Class::Auth => needed.extend(["count_request", "end_tenant", "purge_ended_tenant"]),
            Class::Worker => needed.extend(["next_jobs", "purge_ended_tenant"]),
            _ => {}
        }
        let called: BTreeSet<&str> = called.iter().map(String::as_str).collect();
        assert_eq!(called, needed, "{class:?}");
        intruder.leave().await;
    }
}

#[tokio::test]
async fn nobody_learns_a_key_s_hash_by_asking_who_is_calling() {
    let app = TestApp::start().await;
    let ann = app.register("Ann Ltd").await;
    let new = serde_json::json!({ "name": "loader", "scopes": ["read"] });
    let made = app.post("/api/v1/auth/api-keys", &ann, new).await.json();
    let key = made["id"].as_str().unwrap();
    let mut intruder = Intruder::new(&app, Class::Api).await;
    let (tenant, wrong) = (ann.tenant, "sha256('x')");
    let ask = format!("select count(*)::text from caller_of_api_key('{tenant}', '{key}', {wrong})");
    assert_eq!(intruder.text(&ask).await, "0");
    let ask = format!("select secret_hash from caller_api_key('{tenant}', '{key}')");
    intruder.assert_denied(&ask).await;
    intruder.leave().await;
}

#[tokio::test]
async fn a_request_moves_no_job_of_another_tenant() {
    let app = TestApp::start().await;
    let (ann, zoe) = (app.register("Ann Ltd").await, app.register("Zoe Ltd").await);
    let job = Uuid::now_v7();
    let job = format!("'{}', '{job}'", zoe.tenant);
    let queued = format!(
        "insert into jobs (tenant_id, id, kind, payload) values ({job}, 'x', '{{}}');
        insert into job_queue (tenant_id, job_id) values ({job})"
    );
    sqlx::raw_sql(AssertSqlSafe(queued))
        .execute(app.owner())
        .await
        .unwrap();
    let mut intruder = Intruder::new(&app, Class::Api).await;
    let plant = format!("insert into job_queue (tenant_id, job_id) values ({job})");
    let plant = within(&app, &ann, &plant).await;
    intruder.assert_denied(&plant).await;
    for sql in [
        "update job_queue set visible_at = 'infinity'",
        "delete from job_queue",
    ] {
        let sql = format!("begin; {}; commit", within(&app, &ann, sql).await);
        intruder.run(&sql).await;
    }
    let left: i64 = sqlx::query_scalar("select count(*) from job_queue where visible_at <= now()")
        .fetch_one(app.owner())
        .await
        .unwrap();
    assert_eq!(left, 1);
    intruder.leave().await;
}

#[tokio::test]
async fn the_platform_signs_in_as_a_role_that_owns_nothing() {
    let app = TestApp::start().await;
    let (mighty, owns): (bool, bool) = sqlx::query_as(
        "select rolsuper or rolcreaterole or rolcreatedb or rolbypassrls,
          exists (select from pg_class where relowner = r.oid)
        from pg_roles r where rolname = session_user",
    )
    .fetch_one(&mut *app.platform.db.acquire().await.unwrap())
    .await
    .unwrap();
    assert!(!mighty && !owns);
}

#[tokio::test]
async fn a_role_that_may_do_more_is_nobody_s_login_role() {
    let app = TestApp::start().await;
    let mut owner = roles::connect(&app.database().options()).await.unwrap();
    let wide = format!("wide_{}", Uuid::now_v7().simple());
    let run = |sql: String| sqlx::raw_sql(AssertSqlSafe(sql));
    run(format!(
        "create role {wide} login in role autonomos_sweeper"
    ))
    .execute(&mut owner)
    .await
    .unwrap();
    for name in ["postgres", &wide] {
        let refused = admit(&mut owner, name, Class::Api, None).await.unwrap_err();
        let expected = format!("the role `{name}` may do more than a function needs");
        assert!(refused.to_string().starts_with(&expected), "{refused}");
    }
    run(format!("drop role {wide}"))
        .execute(&mut owner)
        .await
        .unwrap();
}
