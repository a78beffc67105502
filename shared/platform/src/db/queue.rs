//! The queue in PostgreSQL: `for update skip locked` with a lease.

use std::time::Duration;

use schema::{JobId, TenantId};
use sqlx::postgres::types::PgInterval;

use super::{Connection, Pool};
use crate::queue::Wake;

/// Puts a job on the queue, in the transaction that makes it.
pub async fn insert(conn: &mut Connection, tenant: TenantId, job: JobId) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into job_queue (tenant_id, job_id) values ($1, $2)",
        tenant as _,
        job as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the job that waits longest and hides it for the length of the lease. A worker that dies
/// leaves it to the next one.
pub async fn take(pool: &Pool, lease: Duration) -> sqlx::Result<Option<Wake>> {
    let lease = PgInterval::try_from(lease).expect("a lease is minutes, in whole microseconds");
    sqlx::query_as!(
        Wake,
        r#"
        update job_queue set visible_at = now() + $1
        where (tenant_id, job_id) in (
          select tenant_id, job_id
          from job_queue
          where visible_at <= now()
          order by visible_at
          limit 1
          for update skip locked
        )
        returning tenant_id "tenant: _", job_id "job: _"
        "#,
        lease,
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await
}

/// Puts a job back that is to be taken again, not before `pause` is over.
pub async fn put_back(pool: &Pool, wake: Wake, pause: Duration) -> sqlx::Result<()> {
    let pause = PgInterval::try_from(pause).expect("a pause is whole seconds");
    sqlx::query!(
        "update job_queue set visible_at = now() + $3 where tenant_id = $1 and job_id = $2",
        wake.tenant as _,
        wake.job as _,
        pause,
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(())
}

/// Takes a finished job off the queue.
pub async fn delete(pool: &Pool, wake: Wake) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from job_queue where tenant_id = $1 and job_id = $2",
        wake.tenant as _,
        wake.job as _,
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(())
}
