//! What is kept aside: records that were rejected, and those that were not even read.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use schema::RunId;

use super::Stream;
use super::prepare::storable_payload;
use crate::db::quarantine::{self, NewQuarantined};
use crate::db::{self, Connection};
use crate::quarantine::group_id;

/// A record that could not be read as one: a row of a file that could not be cut into cells, or one
/// that is too large to be brought. It is kept aside as it came.
#[derive(Debug, Clone, Copy)]
pub struct UnreadRecord<'a> {
    /// What came of it.
    pub payload: &'a str,
    /// Why it could not be read.
    pub reason: &'a str,
    /// Where in its file it stood.
    pub line: Option<u64>,
    /// The source's id of it, where that is known.
    pub source_id: Option<&'a str>,
    /// The key of its row at the source, where that is known.
    pub source_key: Option<&'a str>,
}

/// Keeps aside what could not be read.
pub(super) async fn insert_unread(
    conn: &mut Connection,
    stream: &Stream,
    run: RunId,
    records: &[UnreadRecord<'_>],
    now: DateTime<Utc>,
) -> db::Result<()> {
    let texts = records.iter().map(|it| {
        let payload = it.payload.as_bytes();
        (digest(&SHA256, payload), storable_payload(payload))
    });
    let texts: Vec<_> = texts.collect();
    let rows = records.iter().zip(&texts);
    let rows = rows.map(|(record, (content_hash, payload))| NewQuarantined {
        content_hash: content_hash.as_ref(),
        line: record.line,
        field: None,
        reason: record.reason,
        payload,
        source_id: record.source_id,
        source_key: record.source_key,
        version: None,
        occurred_at: None,
        origin: None,
        deleted: false,
    });
    insert(conn, stream, run, rows.collect(), now).await
}

/// Keeps rows aside, each content once.
pub(super) async fn insert(
    conn: &mut Connection,
    stream: &Stream,
    run: RunId,
    rows: Vec<NewQuarantined<'_>>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let (name, entity) = (&stream.object.name, stream.plan.entity());
    let groups = rows
        .iter()
        .map(|it| group_id(name, entity, (it.field, it.reason)));
    let mut rows: Vec<_> = rows.iter().zip(groups).collect();
    // One order for everybody, so that no two batches wait for each other.
    // Of two that are the same the later one is kept.
    rows.sort_by_key(|it| (it.0.content_hash, std::cmp::Reverse(it.0.occurred_at)));
    rows.dedup_by_key(|it| it.0.content_hash);
    let (rows, groups): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let place = (stream.object.key(), run);
    quarantine::upsert(conn, stream.tenant, place, (&rows, &groups), now).await
}
