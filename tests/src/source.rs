//! A database to pull from: a real PostgreSQL behind a port, with a reader who has a password.

use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::postgres::{TestDatabase, empty_database, socket};
use crate::tls_proxy::{Authority, Front, Speech};

/// Who reads it.
pub const READER: &str = "source_reader";
/// The reader's password: no text of a platform may have it.
pub const SECRET: &str = "a secret that nobody shows";

/// Makes the reader once for the server, and lets it read what is made from now on.
const READ: &str = "
    do $$ begin
      create role passworded nologin;
    exception when duplicate_object or unique_violation then null; end $$;
    do $$ begin
      create role source_reader login password 'a secret that nobody shows' in role passworded;
    exception when duplicate_object or unique_violation then null; end $$;
    alter default privileges grant select on tables to source_reader;
";

/// A source database of one test. Dropping it closes its port and drops the database.
pub struct Source {
    front: Option<Front>,
    ca_pem: String,
    pool: PgPool,
    // Dropped last, after every connection to it.
    database: TestDatabase,
}

impl Source {
    /// A source whose port speaks no TLS, with these tables.
    pub async fn start(sql: &str) -> Source {
        Source::open(Speech::Plain, String::new(), sql).await
    }

    /// A source whose port speaks TLS with a certificate for these names.
    pub async fn with_tls(names: &[&str], sql: &str) -> Source {
        let authority = Authority::new("source").expect("a certificate can be made");
        let config = authority.certify(names).expect("a certificate can be made");
        Source::open(Speech::tls_on_request(config), authority.pem(), sql).await
    }

    async fn open(speech: Speech, ca_pem: String, sql: &str) -> Source {
        let database = empty_database().await;
        let socket = socket().expect("the server runs");
        let front = Front::open(speech, &socket).await.expect("a port is free");
        let source = Source {
            front: Some(front),
            ca_pem,
            pool: database.pool(),
            database,
        };
        source.run(READ).await;
        source.run(sql).await;
        source
    }

    /// Does something there, as its owner.
    pub async fn run(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.pool).await;
        done.unwrap_or_else(|err| panic!("{err} in {sql}"));
    }

    /// Lines to it, as its owner.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How to connect to it as its owner.
    pub fn options(&self) -> PgConnectOptions {
        self.database.options()
    }

    /// Keeps everybody else from a table until it is dropped.
    pub async fn hold(&self, table: &str) -> sqlx::Transaction<'static, sqlx::Postgres> {
        let mut held = self.pool.begin().await.expect("the server runs");
        let lock = format!("lock table {table} in access exclusive mode");
        let done = sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *held).await;
        done.unwrap_or_else(|err| panic!("{err}: {table}"));
        held
    }

    /// Ends every session of the reader, whatever it waits for, as if its process were gone.
    pub async fn end_sessions(&self) {
        let end = "select pg_terminate_backend(pid, 10000) from pg_stat_activity
            where datname = current_database() and usename = $1";
        let ended = sqlx::query_scalar(end).bind(READER);
        let ended: Vec<bool> = ended.fetch_all(&self.pool).await.expect("the server runs");
        assert!(ended.into_iter().all(|it| it), "a session goes on");
    }

    /// The config of a connection to it that reads these objects.
    pub fn config(&self, objects: Value) -> Value {
        json!({
            "host": "localhost",
            "port": self.port(),
            "database": self.database.name(),
            "user": READER,
            "password": SECRET,
            "tls": "disable",
            "objects": objects,
        })
    }

    /// Who has signed its certificate.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The same by another port.
    pub fn config_at(&self, port: u16, objects: Value) -> Value {
        let mut config = self.config(objects);
        config["port"] = json!(port);
        config
    }

    /// Its port, as long as it has one.
    pub fn port(&self) -> u16 {
        self.front.as_ref().map_or(1, Front::port)
    }

    /// Cuts every line to it, for good.
    pub fn go_down(&mut self) {
        self.front = None;
    }
}
