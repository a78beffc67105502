//! Counters of requests by people who are not known yet, where there is no Redis. No tenant's.

use super::Pool;

/// Counts one request: whether it is allowed, and how many microseconds the key's arrival is
/// ahead of now. One round trip, without a transaction.
pub(crate) async fn count(
    pool: &Pool,
    key: &[u8],
    period: i64,
    tolerance: i64,
) -> sqlx::Result<(bool, i64)> {
    let row = sqlx::query!(
        r#"select allowed "allowed!", ahead "ahead!" from count_request($1, $2, $3)"#,
        key,
        period,
        tolerance,
    )
    .fetch_one(&mut *pool.acquire().await?)
    .await?;
    Ok((row.allowed, row.ahead))
}

/// Takes back what one request cost.
pub(crate) async fn give_back(pool: &Pool, key: &[u8], period: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "update rate_limits set arrival = arrival - $2::bigint * interval '1 microsecond' where key = $1",
        key,
        period,
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(())
}

pub(crate) async fn delete(pool: &Pool, key: &[u8]) -> sqlx::Result<()> {
    sqlx::query!("delete from rate_limits where key = $1", key)
        .execute(&mut *pool.acquire().await?)
        .await?;
    Ok(())
}
