//! Jobs: background work and how far it is.

use chrono::{DateTime, Utc};
use platform::db::Connection as Conn;
use platform::page::Page;
use schema::{ConnectionId, JobId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A background job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    /// `replay`, `sync` or `discover`.
    pub(crate) kind: String,
    /// The job's parameters.
    #[schema(value_type = Object)]
    pub(crate) payload: Value,
    pub(crate) status: JobStatus,
    /// How often it was started since it last made progress.
    pub(crate) attempts: i32,
    /// Its progress; the fields depend on the kind.
    #[schema(value_type = Option<Object>)]
    pub(crate) progress: Option<Value>,
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    error: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    /// When a worker first started it; null before that.
    pub(crate) started_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

/// The status of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(crate) enum JobStatus {
    Queued,
    InProgress,
    Success,
    Failed,
    Canceled,
}

/// How a job ended.
#[derive(Debug)]
pub(crate) enum JobEnd {
    /// With this result.
    Success(Value),
    /// For this reason.
    Failed(String),
    /// By somebody's word.
    Canceled,
}

impl JobEnd {
    pub(crate) fn result(&self) -> Option<&Value> {
        match self {
            JobEnd::Success(result) => Some(result),
            _ => None,
        }
    }

    pub(crate) fn error(&self) -> Option<&str> {
        match self {
            JobEnd::Failed(error) => Some(error),
            _ => None,
        }
    }
}

/// Adds a job, unless it is of a kind that the connection has a job of already. Says whether.
pub(crate) async fn insert_once(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    (kind, payload): (&str, &Value),
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let result = sqlx::query!(
        r#"
        insert into jobs (tenant_id, id, kind, payload, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict do nothing
        "#,
        tenant as _,
        id as _,
        kind,
        payload,
        now,
    )
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

pub(crate) async fn list(
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

pub(crate) async fn count(
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

pub(crate) async fn find(
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
pub(crate) async fn lock_unfinished(
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
pub(crate) async fn is_canceled(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
) -> sqlx::Result<bool> {
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
pub(crate) async fn cancel_once(
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

/// A replay of the connection that waits for its start and is of the same.
pub(crate) async fn find_queued_replay(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
    payload: &Value,
) -> sqlx::Result<Option<JobId>> {
    sqlx::query_scalar!(
        r#"
        select id "id: JobId"
        from jobs
        where tenant_id = $1 and kind = 'replay' and status = 'queued'
          and payload ->> 'connection_id' = $2 and payload = $3
        limit 1
        "#,
        tenant as _,
        connection.to_string(),
        payload,
    )
    .fetch_optional(conn)
    .await
}

/// Counts an attempt and returns how many there were; none where the job is over.
pub(crate) async fn start(
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
pub(crate) async fn advance(
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
pub(crate) async fn note(
    conn: &mut Conn,
    tenant: TenantId,
    id: JobId,
    error: &str,
) -> sqlx::Result<()> {
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

/// Whether a job is under way or waits that pulls over the connection.
pub(crate) async fn exists_pull(
    conn: &mut Conn,
    tenant: TenantId,
    connection: ConnectionId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        select exists (
          select 1
          from jobs
          where tenant_id = $1 and kind in ('sync', 'discover')
            and payload ->> 'connection_id' = $2 and status in ('queued', 'in_progress')
        ) "exists!"
        "#,
        tenant as _,
        connection.to_string(),
    )
    .fetch_one(conn)
    .await
}

/// Ends a job with its result, or with what went wrong.
pub(crate) async fn end(
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
