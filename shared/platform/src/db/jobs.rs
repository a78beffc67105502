//! Jobs: background work, its progress and its result.

use super::Connection as Conn;
use crate::keyset::{CreatedAtKey, Keyset, Page};
use chrono::{DateTime, Utc};
use schema::{JobId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A background job.
#[derive(Debug, Serialize, ToSchema)]
pub struct Job {
    pub id: JobId,
    /// What kind of work it is: `sync`, `discover`, `replay`.
    pub kind: String,
    /// The job's parameters.
    #[schema(value_type = Object)]
    pub payload: Value,
    pub status: JobStatus,
    /// How often it was started since it last made progress.
    pub attempts: i32,
    /// Its progress; the fields depend on the kind.
    #[schema(value_type = Option<Object>)]
    pub progress: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    /// When a worker first started it; null before that.
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

impl Keyset for Job {
    type Key = CreatedAtKey;

    fn keyset(&self) -> CreatedAtKey {
        (self.created_at, self.id.0)
    }
}

/// The status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum JobStatus {
    Queued,
    InProgress,
    Success,
    Failed,
    Canceled,
}

/// How a job ended.
#[derive(Debug)]
pub enum JobEnd {
    /// With this result.
    Success(Value),
    /// For this reason.
    Failed(String),
    /// By somebody's word.
    Canceled,
}

impl JobEnd {
    pub fn result(&self) -> Option<&Value> {
        match self {
            JobEnd::Success(result) => Some(result),
            _ => None,
        }
    }

    pub fn error(&self) -> Option<&str> {
        match self {
            JobEnd::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// A job to add.
#[derive(Debug)]
pub struct NewRow<'a> {
    /// Its id.
    pub id: JobId,
    /// What kind of work it is.
    pub kind: &'a str,
    /// What it is asked to do.
    pub payload: &'a Value,
    /// What it is about: `connection:<id>`.
    pub subject: &'a str,
    /// Of the jobs that are not over, no two have the same.
    pub unique_key: Option<&'a str>,
}

/// Adds a job, unless one with its unique key is not over yet. Says whether.
pub async fn insert_once(
    conn: &mut Conn,
    tenant: TenantId,
    new: &NewRow<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        r#"
        insert into jobs
          (tenant_id, id, kind, payload, subject, unique_key, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7)
        on conflict do nothing
        "#,
        tenant as _,
        new.id as _,
        new.kind,
        new.payload,
        new.subject,
        new.unique_key,
        now,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The tenant's jobs, the newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: TenantId,
    status: Option<JobStatus>,
    page: &Page,
) -> sqlx::Result<Vec<Job>> {
    let (created_at, id) = page.after.unzip();
    sqlx::query_as!(
        Job,
        r#"
        select id "id: _", kind, payload, status "status: _", attempts, progress, result, error,
          created_at, started_at, updated_at
        from jobs
        where tenant_id = $1
          and ($2::text is null or status = $2)
          and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
        order by created_at desc, id desc
        limit $5
        "#,
        tenant as _,
        status as _,
        created_at,
        id,
        page.fetch,
    )
    .fetch_all(conn)
    .await
}

/// How many jobs the tenant has.
pub async fn count(
    conn: &mut Conn,
    tenant: TenantId,
    status: Option<JobStatus>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        select count(*) "count!"
        from jobs
        where tenant_id = $1 and ($2::text is null or status = $2)
        "#,
        tenant as _,
        status as _,
    )
    .fetch_one(conn)
    .await
}

/// A job.
pub async fn find(conn: &mut Conn, tenant: TenantId, id: JobId) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        r#"
        select id "id: _", kind, payload, status "status: _", attempts, progress, result, error,
          created_at, started_at, updated_at
        from jobs
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// The job if it is not over, held until the end of the transaction: of two workers one
/// waits, and then sees what the other has done. Who asks for its end does not wait.
pub async fn lock_unfinished(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
) -> sqlx::Result<Option<Job>> {
    sqlx::query_as!(
        Job,
        r#"
        select id "id: _", kind, payload, status "status: _", attempts, progress, result, error,
          created_at, started_at, updated_at
        from jobs
        where tenant_id = $1 and id = $2 and status in ('queued', 'in_progress')
        for no key update
        "#,
        tenant as _,
        id as _,
    )
    .fetch_optional(conn)
    .await
}

/// Whether somebody wants the job ended.
pub async fn is_canceled(conn: &mut Conn, tenant: TenantId, id: JobId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select from job_cancellations where tenant_id = $1 and job_id = $2
        ) "canceled!"
        "#,
        tenant as _,
        id as _,
    )
    .fetch_one(conn)
    .await
}

/// Asks for the job's end. Says whether nobody has yet.
pub async fn cancel_once(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    actor: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        insert into job_cancellations (tenant_id, job_id, actor, requested_at)
        values ($1, $2, $3, $4)
        on conflict do nothing
        "#,
        tenant as _,
        id as _,
        actor,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A job that waits for its start and is to do the same.
pub async fn find_queued(
    conn: &mut Conn,
    tenant: TenantId,
    (kind, subject): (&str, &str),
    payload: &Value,
) -> sqlx::Result<Option<JobId>> {
    sqlx::query_scalar!(
        r#"
        select id "id: JobId"
        from jobs
        where tenant_id = $1 and subject = $2 and kind = $3 and status = 'queued' and payload = $4
        limit 1
        "#,
        tenant as _,
        subject,
        kind,
        payload,
    )
    .fetch_optional(conn)
    .await
}

/// Counts an attempt and returns how many there were; none where the job is over.
pub async fn start(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar!(
        r#"
        update jobs
        set status = 'in_progress', attempts = attempts + 1, updated_at = $3,
          started_at = coalesce(started_at, $3)
        where tenant_id = $1 and id = $2 and status in ('queued', 'in_progress')
        returning attempts
        "#,
        tenant as _,
        id as _,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Notes how far a job has come. Whoever takes it up next has all attempts again.
pub async fn advance(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    progress: &Value,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update jobs set progress = $3, attempts = 0, updated_at = $4
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id as _,
        progress,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes why a job has to wait. Its end overwrites that.
pub async fn note(conn: &mut Conn, tenant: TenantId, id: JobId, error: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        update jobs set error = $3
        where tenant_id = $1 and id = $2 and status = 'in_progress'
        "#,
        tenant as _,
        id as _,
        error,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a job of these kinds about that subject waits or runs.
pub async fn exists_unfinished(
    conn: &mut Conn,
    tenant: TenantId,
    kinds: &[&str],
    subject: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select 1
          from jobs
          where tenant_id = $1 and subject = $2 and kind = any($3)
            and status in ('queued', 'in_progress')
        ) "exists!"
        "#,
        tenant as _,
        subject,
        kinds as _,
    )
    .fetch_one(conn)
    .await
}

/// How a job stands for the worker that holds it under a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Whether the lease is still its.
    pub leased: bool,
    /// Whether somebody wants the job ended.
    pub canceled: bool,
}

/// Holds the job until the end of the transaction: of two workers one waits, and then sees what the
/// other has done. None where it is over.
pub async fn lock_leased(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    lease: Uuid,
) -> sqlx::Result<Option<Hold>> {
    sqlx::query_as!(
        Hold,
        r#"
        select has_lease(j.id, $3) "leased!", exists (
          select from job_cancellations c where c.tenant_id = $1 and c.job_id = $2
        ) "canceled!"
        from jobs j
        where j.tenant_id = $1 and j.id = $2 and j.status in ('queued', 'in_progress')
        for no key update of j
        "#,
        tenant as _,
        id as _,
        lease,
    )
    .fetch_optional(conn)
    .await
}

/// Whether the lease is still the one that its job is held under; if so, nobody else takes the job
/// before the end of the transaction.
pub async fn lock_lease(conn: &mut Conn, job: JobId, lease: Uuid) -> sqlx::Result<bool> {
    let leased = sqlx::query_scalar!("select lock_lease($1, $2)", job as _, lease)
        .fetch_one(conn)
        .await?;
    Ok(leased == Some(true))
}

/// Ends a job with its result, or with what went wrong.
pub async fn end(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    end: &JobEnd,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let status = match end {
        JobEnd::Success(_) => JobStatus::Success,
        JobEnd::Failed(_) => JobStatus::Failed,
        JobEnd::Canceled => JobStatus::Canceled,
    };
    sqlx::query!(
        r#"
        update jobs set status = $3, result = $4, error = $5, updated_at = $6
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        id as _,
        status as _,
        end.result(),
        end.error(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
