//! The database: one pool, transactions that belong to a tenant, errors as answers.
//!
//! **Invariant:** a tenant's rows are reached only through [`begin`] and [`read`], here and in
//! [`accounts`], which put the transaction under row-level security and prove that the platform
//! means that tenant. The login role below them owns nothing: without them it sees no tenant's
//! rows, whichever it names, and it can take on no more than its function needs.

pub mod accounts;
pub(crate) mod audit;
pub(crate) mod callers;
pub mod ended_tenants;
mod error;
pub mod expired;
pub(crate) mod idempotency;
pub mod jobs;
mod migrations;
mod pool;
pub mod queue;
pub(crate) mod rate_limits;
pub mod roles;
pub mod storage_usage;
pub(crate) mod tenant_keys;
pub(crate) mod tenant_limits;
mod tenant_proofs;
mod url;

use schema::TenantId;
pub use sqlx::PgConnection as Connection;
pub use sqlx::postgres::PgConnectOptions as ConnectOptions;
use sqlx::{Connection as _, Executor, Postgres};

pub use error::OnConstraint;
pub use migrations::migrate;
pub use pool::{Login, Pool};
pub use url::Url;

const ROLE: &str = "autonomos_app";

/// A transaction.
pub type Transaction = sqlx::Transaction<'static, Postgres>;

/// A transaction that sees and writes the rows of one tenant only. One round trip.
pub async fn begin(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    begin_as("begin", ROLE, pool, tenant).await
}

/// A transaction that sees the rows of one tenant only. One round trip, and none to end it: it is
/// dropped, and nobody waits for the rollback that goes with the connection's return.
pub async fn read(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    begin_as("begin read only", ROLE, pool, tenant).await
}

async fn begin_as(
    begin: &str,
    role: &str,
    pool: &Pool,
    tenant: TenantId,
) -> sqlx::Result<Transaction> {
    let statement = format!("{begin}; set local role {role}");
    pool.begin_with(statement, Some(tenant)).await
}

/// A transaction that sees, of every tenant, what is over its time, and nothing else.
pub async fn begin_sweep(pool: &Pool) -> sqlx::Result<Transaction> {
    let statement = "begin; set local role autonomos_sweeper";
    pool.begin_with(statement.to_owned(), None).await
}

/// Commits without waiting for the disk: for what may be forgotten when the database crashes.
pub async fn commit_async(mut tx: Transaction) -> sqlx::Result<()> {
    tx.execute("set local synchronous_commit = off").await?;
    tx.commit().await
}

/// Fails where the database takes nothing that is written: with a full disk, or made read-only, it
/// may go on answering.
pub async fn require_writable(pool: &Pool) -> sqlx::Result<()> {
    // More rows than fit into the memory go to the disk, and nothing is left behind: no table, no
    // entry of a log. Nobody needs a right for it.
    const SPILL: &str =
        "set local work_mem = '64kB'; select count(*) from generate_series(1, 6000)";
    let mut conn = pool.acquire().await?;
    conn.execute(sqlx::raw_sql(SPILL)).await?;
    let read_only = "select current_setting('transaction_read_only')::boolean";
    if sqlx::query_scalar(read_only).fetch_one(&mut *conn).await? {
        return Err(sqlx::Error::Protocol("the database is read-only".into()));
    }
    Ok(())
}

/// Whether the database answers.
pub async fn ping(pool: &Pool) -> sqlx::Result<()> {
    pool.acquire().await?.ping().await
}
