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
        interval(lease),
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await
}

/// What became of the wish to work on one job.
#[derive(Debug, PartialEq)]
pub enum Claim {
    /// It is taken.
    Taken,
    /// It rests, or another worker has it, for so long.
    Hidden(Duration),
    /// It is over.
    Gone,
}

/// Takes that job and hides it for the length of the lease.
pub async fn claim(pool: &Pool, wake: Wake, lease: Duration) -> sqlx::Result<Claim> {
    let row = sqlx::query!(
        r#"
        with taken as (
          update job_queue set visible_at = now() + $3
          where tenant_id = $1 and job_id = $2 and visible_at <= now()
          returning job_id
        )
        select exists (select from taken) "taken!",
          (
            select extract(epoch from visible_at - now())::float8
            from job_queue
            where tenant_id = $1 and job_id = $2
          ) hidden_secs
        "#,
        wake.tenant as _,
        wake.job as _,
        interval(lease),
    )
    .fetch_one(&mut *pool.acquire().await?)
    .await?;
    Ok(match (row.taken, row.hidden_secs) {
        (true, _) => Claim::Taken,
        (false, None) => Claim::Gone,
        // Whole seconds, as SQS counts them, and at least one.
        (false, Some(secs)) => Claim::Hidden(Duration::from_secs_f64(secs.ceil().max(1.0))),
    })
}

/// Hides a job for so long from now: for a lease that is prolonged, for a rest, or not at all.
pub async fn hide(pool: &Pool, wake: Wake, time: Duration) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update job_queue set visible_at = now() + $3, announced_at = now() + $3
        where tenant_id = $1 and job_id = $2
        "#,
        wake.tenant as _,
        wake.job as _,
        interval(time),
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(())
}

/// Jobs that wait though they were announced a while ago: a wake was lost, or its worker was.
/// They count as announced again.
pub async fn list_forgotten(pool: &Pool, most: i64) -> sqlx::Result<Vec<Wake>> {
    sqlx::query_as!(
        Wake,
        r#"
        update job_queue set announced_at = now()
        where (tenant_id, job_id) in (
          select tenant_id, job_id
          from job_queue
          where visible_at <= now() and announced_at < now() - interval '5 minutes'
          order by visible_at
          limit $1
          for update skip locked
        )
        returning tenant_id "tenant: _", job_id "job: _"
        "#,
        most,
    )
    .fetch_all(&mut *pool.acquire().await?)
    .await
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

fn interval(time: Duration) -> PgInterval {
    PgInterval::try_from(time).expect("hours at most, in whole microseconds")
}
