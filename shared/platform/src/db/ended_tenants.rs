//! What is left of tenants that were deleted.

use super::Pool;
use crate::deadline::Deadline;

/// So many rows of each table are deleted in one transaction.
const MOST: i32 = 5_000;

/// Deletes rows of tenants that have ended, until nothing is left or the time is over.
pub async fn purge(pool: &Pool, deadline: Deadline) -> sqlx::Result<()> {
    while !deadline.left().is_zero() {
        let rows = sqlx::query_scalar!(r#"select purge_ended_tenant($1) "rows!""#, MOST)
            .fetch_one(&mut *pool.acquire().await?)
            .await?;
        if rows == 0 {
            break;
        }
    }
    Ok(())
}
