//! Rows of one file with one id that a replay brings again: the first of the file has the record, as
//! when the file came, in whatever order they are read now.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use schema::RunId;

use super::file_rows::reject;
use super::prepare::{Prepared, Read, collision_in_file};
use super::row::{Meeting, Row};
use super::{Stream, quarantine};
use crate::db::quarantine::NewQuarantined;
use crate::db::raw_records::{self, Known};
use crate::db::runs::{Left, RunKind};
use crate::db::{self, Connection};

/// The row that has a record as far as it is known.
struct Holder {
    row: Row,
    /// Its place in the batch, where it is there.
    index: Option<usize>,
    /// Whether the record is stored from it.
    stored: bool,
}

/// A record that is stored from a row which has to make way for an earlier one.
#[derive(Debug)]
pub(super) struct Displaced {
    pub(super) source_id: String,
    pub(super) content_hash: [u8; 32],
    /// Whether the row is in the batch as well, and rejected there.
    pub(super) in_batch: bool,
}

/// Turns the later ones of a file's rows with one id away, and says which stored records are of such.
pub(super) fn contest(
    kind: RunKind,
    read: &mut [Option<Read<'_>>],
    known: &[Known],
) -> Vec<Displaced> {
    if kind != RunKind::Replay {
        return vec![];
    }
    let stored = known.iter().filter(|it| !it.deleted && !it.unfit);
    let mut holders: HashMap<_, _> = stored
        .map(|it| (it.source_id.clone(), Holder::stored(it)))
        .collect();
    let mut displaced = Vec::new();
    for index in 0..read.len() {
        let Some(Ok(item)) = &read[index] else {
            continue;
        };
        let is_row = item.source_key.is_none() && item.record.is_some();
        let Some(origin) = item.origin.filter(|_| is_row) else {
            continue;
        };
        let own = Holder::new(index, origin, item);
        let Some(holder) = holders.get_mut(&item.source_id) else {
            holders.insert(item.source_id.clone(), own);
            continue;
        };
        match holder.row.meet(&own.row) {
            Meeting::Same => holder.index = Some(index),
            Meeting::Newer => *holder = own,
            Meeting::Older => {}
            Meeting::Later => reject(read, index),
            Meeting::Earlier => {
                if holder.stored {
                    displaced.push(Displaced {
                        source_id: item.source_id.clone(),
                        content_hash: holder.row.content_hash,
                        in_batch: holder.index.is_some(),
                    });
                }
                let before = std::mem::replace(holder, own).index;
                before.into_iter().for_each(|it| reject(read, it));
            }
        }
    }
    displaced
}

/// Keeps aside what these records are stored from, as the earlier rows are written in the same
/// transaction.
pub(super) async fn set_aside(
    conn: &mut Connection,
    (stream, run): (&Stream, RunId),
    (displaced, known): (&[Displaced], &[Known]),
    now: DateTime<Utc>,
) -> db::Result<Left> {
    if displaced.is_empty() {
        return Ok(Left::default());
    }
    let ids: Vec<_> = displaced.iter().map(|it| &*it.source_id).collect();
    let hashes: Vec<_> = displaced.iter().map(|it| &it.content_hash[..]).collect();
    let place = (stream.object.key(), run);
    let rows = raw_records::set_aside(conn, stream.tenant, place, (&ids, &hashes)).await?;
    let reasons: Vec<_> = rows
        .iter()
        .map(|it| collision_in_file(&it.source_id))
        .collect();
    let quarantined = rows
        .iter()
        .zip(&reasons)
        .map(|(row, reason)| NewQuarantined {
            content_hash: &row.content_hash,
            line: row.line.and_then(|it| it.try_into().ok()),
            field: None,
            reason,
            payload: &row.payload,
            source_id: Some(&row.source_id),
            source_key: None,
            version: row.version,
            occurred_at: row.occurred_at,
            origin: Some(row.origin),
            deleted: false,
        });
    quarantine::insert(conn, stream, run, quarantined.collect(), now).await?;
    let mut left = Left::default();
    for row in &rows {
        let is_row = |it: &&Displaced| it.source_id == row.source_id;
        let in_batch = displaced.iter().find(is_row).is_some_and(|it| it.in_batch);
        let stored = known.iter().find(|it| it.source_id == row.source_id);
        match stored.is_some_and(|it| it.run_id == run) {
            _ if in_batch => {}
            true => left.written += 1,
            false => left.stored += 1,
        }
    }
    Ok(left)
}

impl Holder {
    fn stored(known: &Known) -> Holder {
        Holder {
            row: Row {
                origin: known.origin,
                line: known.line.and_then(|it| it.try_into().ok()),
                version: known.version,
                content_hash: known.content_hash.as_slice().try_into().unwrap_or_default(),
            },
            index: None,
            stored: true,
        }
    }

    fn new(index: usize, origin: RunId, item: &Prepared<'_>) -> Holder {
        Holder {
            row: Row {
                origin,
                line: item.line,
                version: item.version,
                content_hash: item.content_hash,
            },
            index: Some(index),
            stored: false,
        }
    }
}
