//! Runs: passages of records from a source into the platform.

use chrono::{DateTime, Utc};
use schema::run::{FirstRejection, RunOutcome};
use schema::source::ObjectKey;
use schema::{ConnectionId, RunId, TenantId};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Connection, Result};

/// What brought the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RunKind {
    /// A file.
    Upload,
    /// Events.
    Events,
    /// Stored records, mapped again.
    Replay,
    /// A connector that asked the source.
    Sync,
}

/// One run: what brought records, and what became of them so far.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What brings the records.
    pub kind: RunKind,
    /// The file's name, where it is a file.
    pub file: Option<String>,
    /// How much was received.
    pub bytes: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What became of the records.
    pub counts: Counts,
    /// What it has left undone, and why.
    pub warning: Option<String>,
    /// The first record that was quarantined.
    pub first_rejection: Option<FirstRejection>,
}

impl Run {
    /// A run that begins.
    pub fn new(kind: RunKind, started_at: DateTime<Utc>) -> Run {
        Run {
            id: RunId(Uuid::now_v7()),
            kind,
            file: None,
            bytes: 0,
            started_at,
            counts: Counts::default(),
            warning: None,
            first_rejection: None,
        }
    }

    /// Why it failed, if all its records were quarantined.
    pub fn error(&self) -> Option<String> {
        if self.counts.outcome() != RunOutcome::Failed {
            return None;
        }
        let first = self.first_rejection.as_ref();
        Some(first.map_or_else(
            || format!("all {} records were quarantined", self.counts.quarantined),
            |it| it.explain(self.counts.quarantined),
        ))
    }
}

/// What became of the records of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// All of them.
    pub rows_read: u64,
    /// Written.
    pub written: u64,
    /// Stored already.
    pub unchanged: u64,
    /// Older than what is stored.
    pub stale: u64,
    /// Events whose id was seen before.
    pub duplicate: u64,
    /// Taken out.
    pub deleted: u64,
    /// Kept aside.
    pub quarantined: u64,
    /// Of those: rows whose record is another row's.
    #[serde(default)]
    pub collisions: u64,
}

impl Counts {
    /// Counts an event that was delivered again and not looked at.
    pub fn add_duplicate(&mut self) {
        self.rows_read += 1;
        self.duplicate += 1;
    }

    /// Counts a record that could not be read as one, and is kept aside.
    pub fn add_unread(&mut self) {
        self.rows_read += 1;
        self.quarantined += 1;
    }

    /// Counts rows that have left their records to others.
    pub(crate) fn add_left(&mut self, left: Left) {
        let Left {
            written,
            stored,
            superseded,
        } = left;
        self.rows_read += stored;
        self.written -= written + superseded;
        self.stale += superseded;
        self.quarantined += written + stored;
        self.collisions += written + stored;
    }

    fn with(self, other: Counts, of: fn(u64, u64) -> u64) -> Counts {
        Counts {
            rows_read: of(self.rows_read, other.rows_read),
            written: of(self.written, other.written),
            unchanged: of(self.unchanged, other.unchanged),
            stale: of(self.stale, other.stale),
            duplicate: of(self.duplicate, other.duplicate),
            deleted: of(self.deleted, other.deleted),
            quarantined: of(self.quarantined, other.quarantined),
            collisions: of(self.collisions, other.collisions),
        }
    }

    /// How a run with these counts ended.
    pub fn outcome(&self) -> RunOutcome {
        match self.quarantined {
            0 => RunOutcome::Success,
            all if all == self.rows_read => RunOutcome::Failed,
            _ => RunOutcome::Partial,
        }
    }

    /// How many records were stored or kept aside.
    pub fn added(&self) -> u64 {
        self.written + self.quarantined
    }

    /// Whether anything is stored now that was not before.
    pub fn changed(&self) -> bool {
        0 < self.written + self.deleted + self.quarantined
    }
}

/// Rows that have left their records to others: earlier ones of their files, or newer versions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Left {
    /// Those that this run has written.
    pub(crate) written: u64,
    /// Those that were stored before it.
    pub(crate) stored: u64,
    /// Those that this run has written, of which it has met a newer version since.
    pub(crate) superseded: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        *self = self.with(more, |it, more| it + more);
    }
}

impl std::ops::Sub for Counts {
    type Output = Counts;

    fn sub(self, before: Counts) -> Counts {
        self.with(before, |it, before| it - before)
    }
}

/// Notes that a run begins.
pub async fn insert(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    run: &Run,
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into runs (tenant_id, id, connection_id, object, kind, file, status, started_at)
        values ($1, $2, $3, $4, $5, $6, 'running', $7)
        "#,
        tenant as _,
        run.id as _,
        object.connection as _,
        object.name,
        run.kind as _,
        run.file,
        run.started_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes how far a run has come. One that was given up for dead lives on.
pub async fn advance(conn: &mut Connection, tenant: TenantId, run: &Run) -> Result<()> {
    let counts = run.counts;
    sqlx::query!(
        r#"
        update runs
        set status = 'running', error = null, finished_at = null, rows_read = $3, written = $4,
          unchanged = $5, stale = $6, duplicate = $7, deleted = $8, quarantined = $9, bytes = $10,
          collisions = $11, first_rejection = $12
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        run.id as _,
        number(counts.rows_read),
        number(counts.written),
        number(counts.unchanged),
        number(counts.stale),
        number(counts.duplicate),
        number(counts.deleted),
        number(counts.quarantined),
        number(run.bytes),
        number(counts.collisions),
        run.first_rejection.as_ref().map(Json) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes how far the source's cursor was followed.
pub async fn set_cursor(
    conn: &mut Connection,
    tenant: TenantId,
    run: RunId,
    cursor: &str,
) -> Result<()> {
    sqlx::query!(
        "update runs set cursor = $3 where tenant_id = $1 and id = $2",
        tenant as _,
        run as _,
        cursor,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a run ended before its end. Its counts stay: they are of what was committed.
pub async fn fail(
    conn: &mut Connection,
    tenant: TenantId,
    run: RunId,
    error: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        update runs set status = 'failed', error = $3, finished_at = $4
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        run as _,
        error,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that somebody ended a run. Its counts stay: they are of what was committed.
pub async fn cancel(
    conn: &mut Connection,
    tenant: TenantId,
    run: RunId,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        r#"
        update runs set status = 'canceled', error = null, finished_at = $3
        where tenant_id = $1 and id = $2
        "#,
        tenant as _,
        run as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up runs of that kind that began before `since` and have not ended: most likely their
/// process was killed. Says how many.
pub async fn fail_abandoned(
    conn: &mut Connection,
    tenant: TenantId,
    connection: ConnectionId,
    (kind, since): (RunKind, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<u64> {
    let done = sqlx::query!(
        r#"
        update runs
        set status = 'failed', finished_at = $5,
          error = 'the process ended in the middle of it: send the file again'
        where tenant_id = $1 and connection_id = $2 and kind = $3 and status = 'running'
          and started_at < $4
        "#,
        tenant as _,
        connection as _,
        kind as _,
        since,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Notes that a run came to its end and how, whether or not its start was noted.
pub async fn finish(
    conn: &mut Connection,
    tenant: TenantId,
    object: ObjectKey<'_>,
    run: &Run,
    now: DateTime<Utc>,
) -> Result<()> {
    let counts = run.counts;
    sqlx::query!(
        r#"
        insert into runs
          (tenant_id, id, connection_id, object, kind, file, status, rows_read, written, unchanged,
           stale, duplicate, deleted, quarantined, bytes, started_at, finished_at, collisions,
           warning, error, first_rejection)
        values
          ($1, $2, $3, $4, $5, $6, $19, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
           $18, $20, $21)
        on conflict (tenant_id, id) do update set
          status = excluded.status,
          rows_read = excluded.rows_read,
          written = excluded.written,
          unchanged = excluded.unchanged,
          stale = excluded.stale,
          duplicate = excluded.duplicate,
          deleted = excluded.deleted,
          quarantined = excluded.quarantined,
          bytes = excluded.bytes,
          finished_at = excluded.finished_at,
          collisions = excluded.collisions,
          warning = excluded.warning,
          error = excluded.error,
          first_rejection = excluded.first_rejection
        "#,
        tenant as _,
        run.id as _,
        object.connection as _,
        object.name,
        run.kind as _,
        run.file,
        number(counts.rows_read),
        number(counts.written),
        number(counts.unchanged),
        number(counts.stale),
        number(counts.duplicate),
        number(counts.deleted),
        number(counts.quarantined),
        number(run.bytes),
        run.started_at,
        now,
        number(counts.collisions),
        run.warning,
        counts.outcome() as _,
        run.error(),
        run.first_rejection.as_ref().map(Json) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).expect("nothing counts that far")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows_read: u64, quarantined: u64, expected: RunOutcome) {
        let counts = Counts {
            rows_read,
            quarantined,
            ..Counts::default()
        };
        assert_eq!(counts.outcome(), expected, "{quarantined} of {rows_read}");
    }

    #[test]
    fn a_run_is_a_success_where_nothing_was_quarantined() {
        check(0, 0, RunOutcome::Success);
        check(3, 0, RunOutcome::Success);
        check(3, 1, RunOutcome::Partial);
        check(3, 3, RunOutcome::Failed);
    }
}
