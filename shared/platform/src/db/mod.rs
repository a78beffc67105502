//! The database: one pool, transactions that belong to a tenant, errors as answers.
//!
//! **Invariant:** a tenant's rows are reached only through [`begin`] or [`enter`], which put the
//! transaction under row-level security.

pub mod audit;
pub(crate) mod callers;
mod error;
pub mod expired;
pub(crate) mod idempotency;
pub mod queue;

use std::time::Duration;

use schema::TenantId;
pub use sqlx::postgres::PgConnectOptions as ConnectOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor, Postgres};
pub use sqlx::{PgConnection as Connection, PgPool as Pool};

pub use error::OnConstraint;

/// A transaction.
pub type Transaction = sqlx::Transaction<'static, Postgres>;

/// A pool that connects at the first use.
pub fn connect(options: ConnectOptions, connections: u32) -> Pool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .max_lifetime(Duration::from_secs(600))
        // A frozen function wakes with dead sockets. Some only stay silent, for longer than a
        // request can wait: whoever does not answer at once is made anew.
        .test_before_acquire(false)
        .before_acquire(|conn, _| Box::pin(answers(conn)))
        .connect_lazy_with(options)
}

async fn answers(conn: &mut Connection) -> sqlx::Result<bool> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let silent = |_| std::io::Error::from(std::io::ErrorKind::TimedOut);
    let ping = tokio::time::timeout(PATIENCE, conn.ping()).await;
    ping.map_err(silent)??;
    Ok(true)
}

/// Waits until every connection is back in the pool, or a moment. A connection goes back with a
/// question to the server: frozen in between, it would be missed until TCP gives up.
pub async fn settle(pool: &Pool) {
    const PATIENCE: Duration = Duration::from_millis(250);
    let back = async {
        while (pool.num_idle() as u64) < u64::from(pool.size()) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, back).await.is_err() {
        tracing::warn!("a connection is not back in the pool when the function ends");
    }
}

/// A transaction that sees and writes the rows of one tenant only. One round trip.
pub async fn begin(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    // The tenant is a UUID: its text has no character that SQL could mistake.
    let statement = format!(
        "begin; set local role autonomos_app; set local app.tenant_id = '{}'",
        tenant.0
    );
    pool.begin_with(AssertSqlSafe(statement)).await
}

/// A transaction outside of any tenant, for the directory: it sees no tenant's rows.
pub async fn begin_directory(pool: &Pool) -> sqlx::Result<Transaction> {
    pool.begin().await
}

/// Puts a directory transaction under a tenant's lock for its remainder.
pub async fn enter(tx: &mut Transaction, tenant: TenantId) -> sqlx::Result<()> {
    let statement = format!(
        "set local role autonomos_app; set local app.tenant_id = '{}'",
        tenant.0
    );
    tx.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    Ok(())
}

/// A transaction that sees, of every tenant, what is over its time, and nothing else.
pub async fn begin_sweep(pool: &Pool) -> sqlx::Result<Transaction> {
    pool.begin_with("begin; set local role autonomos_sweeper")
        .await
}

/// Commits without waiting for the disk: for what may be forgotten when the database crashes.
pub async fn commit_unsynced(mut tx: Transaction) -> sqlx::Result<()> {
    tx.execute("set local synchronous_commit = off").await?;
    tx.commit().await
}

/// Brings the database's tables up to date.
pub async fn migrate(pool: &Pool) -> anyhow::Result<()> {
    sqlx::migrate!("../../migrations").run(pool).await?;
    Ok(())
}

/// Whether the database answers.
pub async fn ping(pool: &Pool) -> sqlx::Result<()> {
    pool.acquire().await?.ping().await
}
