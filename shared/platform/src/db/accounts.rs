//! Transactions of the function that signs people in. Its login role alone may begin them.

use schema::TenantId;

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
    pool.begin_with("begin; set local role autonomos_accounts")
        .await
}

/// Puts a directory transaction under a tenant's lock for its remainder.
pub async fn enter(tx: &mut Transaction, tenant: TenantId) -> sqlx::Result<()> {
    super::set_tenant(tx, tenant).await
}
