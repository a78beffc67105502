//! The database: one pool, transactions that belong to a tenant, errors as answers.
//!
//! **Invariant:** a tenant's rows are reached only through [`begin`], [`read`] or [`enter`], which
//! put the transaction under row-level security.

pub mod audit;
pub(crate) mod callers;
mod error;
pub mod expired;
pub(crate) mod idempotency;
pub mod jobs;
mod pool;
pub mod queue;
pub(crate) mod rate_limits;
pub mod storage_usage;
pub(crate) mod tenant_keys;
pub(crate) mod tenant_limits;

use schema::TenantId;
pub use sqlx::PgConnection as Connection;
pub use sqlx::postgres::PgConnectOptions as ConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor, Postgres};

pub use error::OnConstraint;
pub use pool::{Login, Pool};

/// A transaction.
pub type Transaction = sqlx::Transaction<'static, Postgres>;

/// A transaction that sees and writes the rows of one tenant only. One round trip.
pub async fn begin(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    begin_as("begin", pool, tenant).await
}

/// A transaction that sees the rows of one tenant only. One round trip, and none to end it: it is
/// dropped, and nobody waits for the rollback that goes with the connection's return.
pub async fn read(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    begin_as("begin read only", pool, tenant).await
}

async fn begin_as(begin: &str, pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    // The tenant is a UUID: its text has no character that SQL could mistake.
    let statement = format!(
        "{begin}; set local role autonomos_app; set local app.tenant_id = '{}'",
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
pub async fn commit_async(mut tx: Transaction) -> sqlx::Result<()> {
    tx.execute("set local synchronous_commit = off").await?;
    tx.commit().await
}

/// Brings the database's tables up to date.
pub async fn migrate(conn: &mut Connection) -> anyhow::Result<()> {
    sqlx::migrate!("../../migrations").run(conn).await?;
    Ok(())
}

/// Whether the database answers.
pub async fn ping(pool: &Pool) -> sqlx::Result<()> {
    pool.acquire().await?.ping().await
}
