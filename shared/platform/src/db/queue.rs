//! The queue in PostgreSQL: fair between tenants, with leases.
//!
//! **Invariant:** a tenant never has more jobs running than it may, and of jobs that exclude each
//! other one runs: unique keys say so. What a worker does to a job it does under its lease, so one
//! whose lease is over changes nothing.

use std::time::Duration;

use schema::{JobId, TenantId};
use serde::{Deserialize, Serialize};
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::{Connection, Pool};

/// How often a take is tried again that met another worker's.
const MAX_COLLISIONS: usize = 16;

/// One job to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRef {
    /// Whose job.
    pub tenant: TenantId,
    /// Which job.
    pub job: JobId,
}

/// Where a job stands among the others of its tenant.
#[derive(Debug)]
pub struct QueuePriority {
    /// Of the jobs that have the same, one runs at a time.
    pub exclusive: Option<String>,
    /// How long others that come later go first.
    pub patience: Duration,
}

/// A job that a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeasedJob {
    /// Which job.
    pub job_ref: JobRef,
    /// The lease that it is held under.
    pub(crate) lease: Uuid,
}

/// Puts a job on the queue, in the transaction that makes it.
pub async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    job: JobId,
    priority: QueuePriority,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        insert into job_queue (tenant_id, job_id, exclusive, patience, start_by)
        values ($1, $2, $3, $4, now() + $4)
        "#,
        tenant as _,
        job as _,
        priority.exclusive,
        interval(priority.patience),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the job that comes next and hides it for the length of the lease: of the tenant with the
/// fewest running jobs, and of those with as many, the one served longest ago. A worker that dies
/// leaves the job to the next one.
pub async fn take(
    pool: &Pool,
    per_tenant: u16,
    lease: Duration,
) -> sqlx::Result<Option<LeasedJob>> {
    for _ in 0..MAX_COLLISIONS {
        match try_take(pool, per_tenant, lease).await {
            // Another worker has just taken a job of the same tenant: now the next one is due.
            Err(err) if is_collision(&err) => {}
            taken => return taken,
        }
    }
    Ok(None)
}

async fn try_take(
    pool: &Pool,
    per_tenant: u16,
    lease: Duration,
) -> sqlx::Result<Option<LeasedJob>> {
    let token = Uuid::new_v4();
    let job_ref = sqlx::query_as!(
        JobRef,
        r#"
        with next as (
          select q.tenant_id, q.job_id, n.slot
          from next_jobs($1) n
          join job_queue q on q.tenant_id = n.tenant_id and q.job_id = n.job_id
          where q.visible_at <= now()
          order by n.running, n.served_at nulls first, n.start_by
          limit 1
          for update of q skip locked
        ),
        taken as (
          update job_queue q set lease = $2, slot = next.slot, visible_at = now() + $3
          from next
          where q.tenant_id = next.tenant_id and q.job_id = next.job_id
          returning q.tenant_id, q.job_id
        ),
        served as (
          insert into job_turns (tenant_id, served_at)
          select tenant_id, clock_timestamp()
          from taken
          on conflict (tenant_id) do update set served_at = excluded.served_at
        )
        select tenant_id "tenant: _", job_id "job: _"
        from taken
        "#,
        i32::from(per_tenant),
        token,
        interval(lease),
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await?;
    Ok(job_ref.map(|job_ref| LeasedJob {
        job_ref,
        lease: token,
    }))
}

fn is_collision(err: &sqlx::Error) -> bool {
    let constraint = err.as_database_error().and_then(|it| it.constraint());
    matches!(
        constraint,
        Some("job_queue_slot_key" | "job_queue_exclusive_key")
    )
}

/// Takes that job, whatever else its tenant has running, unless a worker has it: to end it and no
/// more.
pub async fn take_to_end(
    pool: &Pool,
    job_ref: JobRef,
    lease: Duration,
) -> sqlx::Result<Option<LeasedJob>> {
    let mut tx = super::begin(pool, job_ref.tenant).await?;
    let token = Uuid::new_v4();
    let done = sqlx::query!(
        r#"
        update job_queue set lease = $3, slot = null, visible_at = now() + $4
        where tenant_id = $1 and job_id = $2 and (lease is null or visible_at <= now())
        "#,
        job_ref.tenant as _,
        job_ref.job as _,
        token,
        interval(lease),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok((done.rows_affected() == 1).then_some(LeasedJob {
        job_ref,
        lease: token,
    }))
}

/// How long it is until a job that waits can be seen; none where it is over.
pub async fn visible_in(pool: &Pool, job_ref: JobRef) -> sqlx::Result<Option<Duration>> {
    let secs = sqlx::query_scalar!(
        r#"
        select extract(epoch from visible_at - now())::float8 "secs!"
        from job_queue
        where tenant_id = $1 and job_id = $2
        "#,
        job_ref.tenant as _,
        job_ref.job as _,
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await?;
    Ok(secs.map(|it| Duration::from_secs_f64(it.max(0.0))))
}

/// The tenant's job that comes next, where one may run.
pub async fn next(pool: &Pool, tenant: TenantId, per_tenant: u16) -> sqlx::Result<Option<JobRef>> {
    sqlx::query_as!(
        JobRef,
        r#"
        select tenant_id "tenant!: _", job_id "job!: _"
        from next_jobs($2)
        where tenant_id = $1
        "#,
        tenant as _,
        i32::from(per_tenant),
    )
    .fetch_optional(&mut *pool.acquire().await?)
    .await
}

/// Whether another tenant waits that has fewer jobs running than this one.
pub async fn is_outranked(pool: &Pool, tenant: TenantId, per_tenant: u16) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select
          from next_jobs($2) n
          where n.tenant_id <> $1 and n.running < (
            select count(*)
            from job_queue
            where tenant_id = $1 and slot is not null and visible_at > now()
          )
        ) "outranked!"
        "#,
        tenant as _,
        i32::from(per_tenant),
    )
    .fetch_one(&mut *pool.acquire().await?)
    .await
}

/// Prolongs a lease, and says whether it was still there to be prolonged.
pub async fn renew_lease(pool: &Pool, leased: LeasedJob, lease: Duration) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        update job_queue set visible_at = now() + $4, announced_at = now() + $4
        where tenant_id = $1 and job_id = $2 and lease = $3
        "#,
        leased.job_ref.tenant as _,
        leased.job_ref.job as _,
        leased.lease,
        interval(lease),
    )
    .execute(&mut *pool.acquire().await?)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a job back, behind those that wait, and hides it until its rest is over.
pub async fn requeue(pool: &Pool, leased: LeasedJob, rest: Duration) -> sqlx::Result<()> {
    let mut tx = super::begin(pool, leased.job_ref.tenant).await?;
    sqlx::query!(
        r#"
        update job_queue
        set lease = null, slot = null, visible_at = now() + $4, announced_at = now() + $4,
          start_by = now() + $4 + patience
        where tenant_id = $1 and job_id = $2 and lease = $3
        "#,
        leased.job_ref.tenant as _,
        leased.job_ref.job as _,
        leased.lease,
        interval(rest),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Jobs that could run though they were announced a while ago: a notification was lost, or its worker was.
/// They count as announced again. Of each tenant no more than may run, so that the long queue of
/// one leaves room for the others'.
pub async fn claim_stalled(pool: &Pool, per_tenant: u16, most: i64) -> sqlx::Result<Vec<JobRef>> {
    sqlx::query_as!(
        JobRef,
        r#"
        update job_queue set announced_at = now()
        where (tenant_id, job_id) in (
          select f.tenant_id, f.job_id
          from next_jobs($1) n
          cross join lateral (
            select q.tenant_id, q.job_id
            from job_queue q
            where q.tenant_id = n.tenant_id and q.visible_at <= now()
              and q.announced_at < now() - interval '5 minutes'
            order by q.visible_at
            limit $1
          ) f
          order by n.running, n.served_at nulls first
          limit $2
        )
        returning tenant_id "tenant: _", job_id "job: _"
        "#,
        i32::from(per_tenant) as _,
        most,
    )
    .fetch_all(&mut *pool.acquire().await?)
    .await
}

/// Takes a finished job off the queue.
pub async fn delete(pool: &Pool, leased: LeasedJob) -> sqlx::Result<()> {
    let mut tx = super::begin(pool, leased.job_ref.tenant).await?;
    sqlx::query!(
        "delete from job_queue where tenant_id = $1 and job_id = $2 and lease = $3",
        leased.job_ref.tenant as _,
        leased.job_ref.job as _,
        leased.lease,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

fn interval(time: Duration) -> PgInterval {
    PgInterval::try_from(time).expect("hours at most, in whole microseconds")
}
