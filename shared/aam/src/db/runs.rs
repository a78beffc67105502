//! Runs: passages of records from a source into the platform.

use chrono::{DateTime, Utc};
use schema::{ConnectionId, RunId, TenantId};

use super::{Connection, Result};
use crate::ingest::Counts;

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

/// One run as it ended.
#[derive(Debug, Clone)]
pub struct FinishedRun<'a> {
    /// Its id.
    pub id: RunId,
    /// Where the records came from.
    pub connection: ConnectionId,
    /// The source object they are of.
    pub object: &'a str,
    /// What brought them.
    pub kind: RunKind,
    /// The file's name, where it was a file.
    pub file: Option<&'a str>,
    /// How much was received.
    pub bytes: u64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What became of the records.
    pub counts: Counts,
}

/// Notes that a run succeeded, whether or not its start was noted.
pub async fn finish(
    conn: &mut Connection,
    tenant: TenantId,
    run: &FinishedRun<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let number = |it: u64| i64::try_from(it).expect("nothing counts that far");
    let counts = run.counts;
    sqlx::query!(
        r#"
        insert into runs
          (tenant_id, id, connection_id, object, kind, file, status, rows_read, written, unchanged,
           stale, duplicate, deleted, quarantined, bytes, started_at, finished_at)
        values
          ($1, $2, $3, $4, $5, $6, 'success', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
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
          finished_at = excluded.finished_at
        "#,
        tenant as _,
        run.id as _,
        run.connection as _,
        run.object,
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
    )
    .execute(conn)
    .await?;
    Ok(())
}
