//! A PostgreSQL for the tests: one server for all of them, a fresh database for each.
//!
//! ```no_run
//! # async fn example() {
//! let database = tests::postgres::database().await;
//! let pool = database.pool();
//! # }
//! ```
//!
//! Tests are processes that know nothing of each other, so the server belongs to a keeper, a
//! process which the first test starts. Each test holds a lease, a shared file lock; when
//! nobody has held one for a while, the keeper ends the server and itself.
//!
//! **Invariant:** the operating system gives a lease back with its process, so that neither a
//! killed test nor a killed keeper leaves a server behind or keeps the next test from one.

mod keeper;
mod template;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool};
use uuid::Uuid;

pub use keeper::{keep, keep_if_asked};

/// A database of one test; dropping it drops the database.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    _lease: File,
}

/// A database with every migration applied.
pub async fn database() -> TestDatabase {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    TestDatabase::new(Some(&migrations))
        .await
        .unwrap_or_else(|error| panic!("{error:#}"))
}

/// A database with nothing in it.
pub async fn empty_database() -> TestDatabase {
    TestDatabase::new(None)
        .await
        .unwrap_or_else(|error| panic!("{error:#}"))
}

impl TestDatabase {
    async fn new(migrations: Option<&Path>) -> anyhow::Result<TestDatabase> {
        let lease = tokio::task::spawn_blocking(keeper::lease).await??;
        let mut conn = options("postgres")?.connect().await?;
        let template = match migrations {
            Some(migrations) => template::find_or_make(&mut conn, migrations).await?,
            None => "template0".to_owned(),
        };
        let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
        // Copying files is quicker than PostgreSQL's default, which copies through its log.
        let sql = format!("create database {name} template {template} strategy file_copy");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
        conn.close().await?;
        Ok(TestDatabase {
            name,
            _lease: lease,
        })
    }

    /// How to connect to it as its owner.
    pub fn options(&self) -> PgConnectOptions {
        options(&self.name).expect("the server's folder exists, as the database was made in it")
    }

    /// How to connect to it as the platform does.
    pub fn login(&self) -> PgConnectOptions {
        self.options().username(LOGIN)
    }

    /// Its name on the server.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same as a connection string.
    pub fn url(&self) -> String {
        local::postgres::url(&data(), &self.name)
            .expect("the server's folder exists, as the database was made in it")
    }

    /// A new pool of up to five connections.
    pub fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(5)
            .connect_lazy_with(self.options())
    }
}

impl Drop for TestDatabase {
    /// Best effort: the keeper drops what is left.
    fn drop(&mut self) {
        let name = self.name.clone();
        // A thread of its own, as the test's runtime must not be blocked from within.
        let dropped = thread::spawn(move || run(drop_database(&name))).join();
        if let Ok(Err(error)) = dropped {
            eprintln!("{} is left to the keeper: {error:#}", self.name);
        }
    }
}

/// The role that the platform signs in as.
const LOGIN: &str = "autonomos_tests";

/// What the name of every test's database begins with.
const PREFIX: &str = "test_";

async fn drop_database(name: &str) -> anyhow::Result<()> {
    let mut conn = options("postgres")?.connect().await?;
    let sql = format!("drop database if exists {name} with (force)");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    Ok(conn.close().await?)
}

fn run<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future)
}

fn options(database: &str) -> anyhow::Result<PgConnectOptions> {
    Ok(local::postgres::options(&data())?.database(database))
}

/// The server's door.
pub(crate) fn socket() -> anyhow::Result<PathBuf> {
    let options = local::postgres::options(&data())?;
    let folder = options.get_socket().context("it listens on a socket")?;
    Ok(folder.join(".s.PGSQL.5432"))
}

fn data() -> PathBuf {
    folder().join("data")
}

fn folder() -> PathBuf {
    crate::dev().join("test-postgres")
}

/// A file in the server's folder, to be locked.
fn open(name: &str) -> anyhow::Result<File> {
    let folder = folder();
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let path = folder.join(name);
    File::options()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))
}
