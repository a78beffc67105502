//! Background jobs: any function may queue one, and a worker runs it under a lease.
//!
//! **Invariant:** a job is a row and an entry of the queue from one transaction on. What a worker
//! does for it is written in transactions that its lease fences: [`begin_leased`].

use std::time::Duration;

use chrono::{DateTime, Utc};
use schema::{Error, JobId, TenantId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::audit::{self, Entry, Signer};
use crate::db::queue::{self, LeasedJob, QueuePriority};
use crate::db::{self, Pool, Transaction};
use crate::queue::JobRef;

pub use crate::db::jobs::{Job, JobEnd, JobStatus};

/// A job to queue.
#[derive(Debug)]
pub struct NewJob {
    /// What kind of work it is.
    pub kind: &'static str,
    /// What it is about: `connection:<id>`.
    pub subject: String,
    /// What it is to do.
    pub payload: Value,
    /// Of the jobs that are not over, no two have the same; none where any number may wait.
    pub unique_key: Option<String>,
    /// Of the jobs that have the same, one runs at a time.
    pub exclusive: Option<String>,
    /// For how long others of the tenant that are queued later go first.
    pub patience: Duration,
}

impl NewJob {
    /// A job of that kind about that subject, which waits its turn.
    ///
    /// # Errors
    /// Where the payload is no JSON.
    pub fn new(
        kind: &'static str,
        subject: String,
        payload: &impl Serialize,
    ) -> schema::Result<NewJob> {
        Ok(NewJob {
            kind,
            subject,
            payload: serde_json::to_value(payload).map_err(|err| Error::Internal(err.into()))?,
            unique_key: None,
            exclusive: None,
            patience: Duration::ZERO,
        })
    }

    /// Not beside another one of its kind about the same subject.
    pub fn unique(self) -> NewJob {
        NewJob {
            unique_key: Some(format!("{}:{}", self.kind, self.subject)),
            ..self
        }
    }

    /// One after the other with those of its kind about the same subject.
    pub fn exclusive(self) -> NewJob {
        NewJob {
            exclusive: Some(format!("{}:{}", self.kind, self.subject)),
            ..self
        }
    }
}

/// Queues a job for an actor (`user:<id>`, `system`), and notes that in the audit log as the action.
/// None where its unique key is taken. Tell the queue after the commit:
/// [`announce`](crate::queue::announce).
pub async fn enqueue(
    conn: &mut db::Connection,
    tenant: TenantId,
    (signer, actor, action): (Signer, String, &'static str),
    new: NewJob,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<JobRef>> {
    let job = JobId(Uuid::now_v7());
    let row = db::jobs::NewRow {
        id: job,
        kind: new.kind,
        payload: &new.payload,
        subject: &new.subject,
        unique_key: new.unique_key.as_deref(),
    };
    if !db::jobs::insert_once(conn, tenant, &row, now).await? {
        return Ok(None);
    }
    let priority = QueuePriority {
        exclusive: new.exclusive,
        patience: new.patience,
    };
    queue::insert(conn, tenant, job, priority).await?;
    let entry = Entry::of(signer, actor, (action, new.subject), now)
        .after(serde_json::json!({ "job": job, "kind": new.kind, "payload": new.payload }));
    audit::append(conn, tenant, &entry).await?;
    Ok(Some(JobRef { tenant, job }))
}

/// Whether a worker may write what its job came to.
pub enum Fence {
    /// It may: the job is held until the end of the transaction.
    Held(LeasedTransaction),
    /// Another worker has it by now: nothing may be written.
    Lost,
    /// It is over.
    Over,
    /// Somebody wants it ended.
    Canceled,
}

/// A transaction that can be committed only by the worker that has the job's lease.
pub struct LeasedTransaction {
    tx: Transaction,
    leased: LeasedJob,
}

/// Begins a transaction in which a worker writes what its job came to.
///
/// # Errors
/// Those of the database.
pub async fn begin_leased(pool: &Pool, leased: LeasedJob) -> sqlx::Result<Fence> {
    let JobRef { tenant, job } = leased.job_ref;
    let mut tx = db::begin(pool, tenant).await?;
    let hold = db::jobs::lock_leased(&mut tx, tenant, job, leased.lease).await?;
    Ok(match hold {
        None => Fence::Over,
        Some(hold) if !hold.leased => Fence::Lost,
        Some(hold) if hold.canceled => Fence::Canceled,
        Some(_) => Fence::Held(LeasedTransaction { tx, leased }),
    })
}

impl LeasedTransaction {
    /// Commits it, unless the lease was lost meanwhile. Says whether.
    ///
    /// The lease is looked at last, and held to the end of the commit alone: a transaction that is
    /// stuck keeps nobody from the queue.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn commit(mut self) -> sqlx::Result<bool> {
        if !self.lock_lease().await? {
            return Ok(false);
        }
        self.tx.commit().await?;
        Ok(true)
    }

    /// The same without waiting for the disk: for progress that more is to follow. Where the
    /// database crashes, the job goes on from its progress before.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn commit_async(mut self) -> sqlx::Result<bool> {
        if !self.lock_lease().await? {
            return Ok(false);
        }
        db::commit_async(self.tx).await?;
        Ok(true)
    }

    async fn lock_lease(&mut self) -> sqlx::Result<bool> {
        let JobRef { job, .. } = self.leased.job_ref;
        db::jobs::lock_lease(&mut self.tx, job, self.leased.lease).await
    }
}

impl std::ops::Deref for LeasedTransaction {
    type Target = db::Connection;
    fn deref(&self) -> &db::Connection {
        &self.tx
    }
}

impl std::ops::DerefMut for LeasedTransaction {
    fn deref_mut(&mut self) -> &mut db::Connection {
        &mut self.tx
    }
}
