//! Transactions of the function that signs people in. Its login role alone may begin them.

use schema::TenantId;
use sqlx::{AssertSqlSafe, Executor};

use super::{Pool, Transaction};

const ROLE: &str = "autonomos_accounts";

/// A transaction that sees and writes the rows of one tenant only, people and keys among them.
pub async fn begin(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    super::begin_as("begin", ROLE, pool, tenant).await
}

/// The same to read only. See [`super::read`].
pub async fn read(pool: &Pool, tenant: TenantId) -> sqlx::Result<Transaction> {
    super::begin_as("begin read only", ROLE, pool, tenant).await
}

/// A transaction outside of any tenant, for the directory: it sees no tenant's rows.
pub async fn begin_directory(pool: &Pool) -> sqlx::Result<Transaction> {
    let statement = "begin; set local role autonomos_accounts";
    pool.begin_with(statement.to_owned(), None).await
}

/// Puts a directory transaction of the pool under a tenant's lock for its remainder.
pub async fn enter(pool: &Pool, tx: &mut Transaction, tenant: TenantId) -> sqlx::Result<()> {
    let naming = pool.naming(tenant)?;
    tx.execute(sqlx::raw_sql(AssertSqlSafe(naming))).await?;
    Ok(())
}
