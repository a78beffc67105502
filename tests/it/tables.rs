//! The tables are what the house says: each tenant's rows behind a lock, and each table
//! distributable by tenant.

use platform::db;
use schema::TenantId;
use schema::entity::ENTITIES;
use sqlx::{AssertSqlSafe, Row};
use tests::app::TestApp;
use tests::postgres::database;

/// The tables that belong to no tenant, and why.
const DIRECTORY: [&str; 7] = [
    "_sqlx_migrations", // sqlx's own
    "audit_keys",       // what platforms sign audit entries with
    "job_queue",        // wakes workers across tenants, holds ids only
    "job_turns",        // when each tenant got a worker, ids and times only
    "logins",           // finds the tenant of an address
    "rate_limits",      // counts sign-ins of people who are not known yet
    "tenants",          // the tenants themselves
];

#[tokio::test]
async fn every_table_of_a_tenant_is_locked_and_distributable() {
    let database = database().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class
        where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
        order by relname",
    )
    .fetch_all(&database.pool())
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let tenant_tables: Vec<_> = tables
        .iter()
        .filter(|it| !DIRECTORY.contains(&it.as_str()))
        .collect();
    for table in tenant_tables {
        let row = sqlx::query(
            "select relrowsecurity and relforcerowsecurity locked,
              exists (select from pg_policy where polrelid = c.oid) policy,
              (select bool_and(a.attname = 'tenant_id') from pg_index i
                join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                where i.indrelid = c.oid) first_in_each_index,
              exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) keyed
            from pg_class c where relname = $1 and relnamespace = 'public'::regnamespace",
        )
        .bind(table)
        .fetch_one(&database.pool())
        .await
        .unwrap();
        for mark in ["locked", "policy", "first_in_each_index", "keyed"] {
            assert!(
                row.get::<Option<bool>, _>(mark) == Some(true),
                "{table}: not {mark}"
            );
        }
    }
}

#[tokio::test]
async fn each_entity_has_the_table_it_declares() {
    let database = database().await;
    for entity in ENTITIES {
        let columns: Vec<(String, String, bool)> = sqlx::query_as(
            "select attname::text, format_type(atttypid, atttypmod), attnotnull
            from pg_attribute
            where attrelid = $1::regclass and attnum > 0 and not attisdropped
            order by attnum",
        )
        .bind(&*entity.plural)
        .fetch_all(&database.pool())
        .await
        .unwrap();
        let origin = [
            "tenant_id",
            "connection_id",
            "object",
            "source_id",
            "source_system",
        ];
        let names: Vec<_> = columns.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(names[..5], origin, "{}", entity.plural);
        // Fields that came later stand behind these.
        let (of_platform, fields): (Vec<_>, Vec<_>) = columns[5..]
            .iter()
            .cloned()
            .partition(|it| ["extras", "synced_at", "custom"].contains(&&*it.0));
        assert_eq!(of_platform.len(), 3, "{}", entity.plural);
        let declared: Vec<_> = entity
            .fields
            .iter()
            .map(|it| (it.name.to_string(), it.kind.sql().to_owned(), it.required))
            .collect();
        assert_eq!(fields, declared, "{}", entity.plural);
    }
}

#[tokio::test]
async fn a_query_without_a_where_sees_one_tenant_only() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.register("Ann Ltd").await, app.register("Bob Ltd").await);
    for (tenant, other) in [(ann.tenant, bob.tenant), (bob.tenant, ann.tenant)] {
        let begun = db::accounts::begin(&app.platform.db, tenant).await;
        let mut tx = begun.unwrap();
        let seen: Vec<TenantId> = sqlx::query_scalar("select tenant_id from users")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        assert_eq!(seen, [tenant]);
        let touched = sqlx::query("update users set role = 'viewer' where tenant_id = $1")
            .bind(other)
            .execute(&mut *tx)
            .await
            .unwrap();
        assert_eq!(touched.rows_affected(), 0);
        let planted = sqlx::query(
            "insert into tenant_keys (tenant_id, wrapped) values ($1, '')
            on conflict (tenant_id) do update set wrapped = ''",
        )
        .bind(other)
        .execute(&mut *tx)
        .await;
        let refused = planted.unwrap_err().to_string();
        assert!(refused.contains("row-level security"), "{refused}");
    }
}

#[tokio::test]
async fn without_a_tenant_nothing_is_seen() {
    let app = TestApp::start().await;
    app.register("Ann Ltd").await;
    let directory = db::accounts::begin_directory(&app.platform.db);
    let mut tx = directory.await.unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from users")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn a_transaction_that_nobody_waits_for_leaves_nobody_else_its_tenant() {
    let database = database().await;
    let pool = db::Pool::new(database.login().into(), 1);
    let tenant = TenantId(uuid::Uuid::now_v7());
    let mut cut_off = 0;
    for polls in 1..12 {
        let mut begin = Box::pin(db::begin(&pool, tenant));
        let mut left = polls;
        std::future::poll_fn(|context| {
            let begun = begin.as_mut().poll(context);
            left -= 1;
            if left == 0 || begun.is_ready() {
                cut_off += usize::from(begun.is_pending());
                return std::task::Poll::Ready(());
            }
            std::task::Poll::Pending
        })
        .await;
        drop(begin);
        let settings = "select current_setting('role') || current_setting('app.tenant_id', true)";
        let left: Option<String> = sqlx::query_scalar(settings)
            .fetch_one(&mut *pool.acquire().await.unwrap())
            .await
            .unwrap();
        assert!(left.as_deref().is_none_or(|it| it == "none"), "{left:?}");
    }
    assert!(cut_off > 0);
}

/// What `cargo build` believes offline is what the database says now.
#[tokio::test]
async fn every_prepared_query_fits_the_tables() {
    let database = database().await;
    let mut conn = database.pool().acquire().await.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../.sqlx");
    let mut queries = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let query: serde_json::Value = serde_json::from_str(&text).unwrap();
        let sql = query["query"].as_str().unwrap().to_owned();
        let described = sqlx::Executor::describe(
            &mut *conn,
            sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(sql.clone())),
        )
        .await;
        let described = described.unwrap_or_else(|err| panic!("{err} in {sql}"));
        let columns: Vec<_> = described
            .columns()
            .iter()
            .map(|it| sqlx::Column::name(it).to_owned())
            .collect();
        let prepared: Vec<_> = query["describe"]["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(columns, prepared, "{sql}: run tests/prepare");
        queries += 1;
    }
    assert!(queries > 20, "only {queries} queries in .sqlx");
}
