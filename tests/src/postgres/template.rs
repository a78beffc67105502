//! The migrated database that each test's own is a copy of.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use aws_lc_rs::digest;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use platform::db::roles::{Class, admit};

use super::{LOGIN, drop_database, options};

/// Names templates, and locks out whoever makes the same one.
const PREFIX: &str = "migrated_";

/// The name of the template of the migrations in a folder, made if it does not exist.
///
/// The migrations are read when the test runs, so that name and content cannot differ.
pub(super) async fn find_or_make(conn: &mut PgConnection, folder: &Path) -> anyhow::Result<String> {
    let migrator = Migrator::new(folder)
        .await
        .with_context(|| format!("read the migrations in {}", folder.display()))?;
    let name = name(&migrator);
    if exists(conn, &name).await? {
        return Ok(name);
    }
    sqlx::query("select pg_advisory_lock(hashtext($1))")
        .bind(PREFIX)
        .execute(&mut *conn)
        .await?;
    if !exists(conn, &name).await? {
        // Under another name until it is whole; whatever bears this prefix now is out of date.
        for old in all(conn).await? {
            drop_database(&old).await?;
        }
        let unfinished = format!("{name}_new");
        execute(
            conn,
            format!("create database {unfinished} template template0"),
        )
        .await?;
        migrate(&migrator, &unfinished).await?;
        execute(
            conn,
            format!("alter database {unfinished} rename to {name}"),
        )
        .await?;
    }
    sqlx::query("select pg_advisory_unlock(hashtext($1))")
        .bind(PREFIX)
        .execute(conn)
        .await?;
    Ok(name)
}

async fn migrate(migrator: &Migrator, database: &str) -> anyhow::Result<()> {
    let mut conn = options(database)?.connect().await?;
    migrator
        .run(&mut conn)
        .await
        .context("migrate the template of the tests' databases")?;
    admit(&mut conn, LOGIN, Class::Local, None).await?;
    Ok(conn.close().await?)
}

/// A name that changes with any migration, of which PostgreSQL keeps 63 letters.
fn name(migrator: &Migrator) -> String {
    let mut digest = digest::Context::new(&digest::SHA256);
    for migration in migrator.iter() {
        digest.update(&migration.version.to_be_bytes());
        digest.update(&migration.checksum);
    }
    let mut name = PREFIX.to_owned();
    for byte in &digest.finish().as_ref()[..16] {
        write!(name, "{byte:02x}").expect("a String takes every write");
    }
    name
}

async fn exists(conn: &mut PgConnection, name: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(conn)
        .await
}

async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("select datname::text from pg_database where starts_with(datname, $1)")
        .bind(PREFIX)
        .fetch_all(conn)
        .await
}

async fn execute(conn: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(conn)
        .await
        .map(drop)
}
