//! Rows with one id that a replay brings again, in whatever order they are read now: of one file the
//! first has the record, as when the file came, and of several versions the newest. The others stay
//! stored, in no view, for a mapping that tells them apart.

use std::collections::{HashMap, HashSet};

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
    /// The run that stored the record from it, if it is.
    stored_by: Option<RunId>,
}

/// A record that is stored from a row which has to make way for another one.
#[derive(Debug)]
pub(super) struct Displaced {
    pub(super) source_id: String,
    pub(super) content_hash: [u8; 32],
    /// The run that stored it.
    run: RunId,
    /// Whether the row is in the batch as well.
    in_batch: bool,
    /// Whether the other one is a newer version, and not an earlier row of its file.
    is_older: bool,
}

/// What came of the rows of a batch.
#[derive(Debug, Default)]
pub(super) struct Contest {
    pub(super) displaced: Vec<Displaced>,
    /// The places of those that have their records.
    pub(super) holders: HashSet<usize>,
}

/// Turns the later ones of a file's rows with one id away, and says which stored records make way.
pub(super) fn contest(kind: RunKind, read: &mut [Option<Read<'_>>], known: &[Known]) -> Contest {
    if kind != RunKind::Replay {
        return Contest::default();
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
        let meeting = holder.row.meet(&own.row);
        let makes_way = matches!(meeting, Meeting::Newer | Meeting::Earlier);
        if let Some(run) = holder.stored_by.filter(|_| makes_way) {
            displaced.push(Displaced {
                run,
                source_id: item.source_id.clone(),
                content_hash: holder.row.content_hash,
                in_batch: holder.index.is_some(),
                is_older: meeting == Meeting::Newer,
            });
        }
        match meeting {
            Meeting::Same => holder.index = Some(index),
            Meeting::Newer => *holder = own,
            Meeting::Older => {}
            Meeting::Later => reject(read, index),
            Meeting::Earlier => {
                let before = std::mem::replace(holder, own).index;
                before.into_iter().for_each(|it| reject(read, it));
            }
        }
    }
    Contest {
        displaced,
        holders: holders.into_values().filter_map(|it| it.index).collect(),
    }
}

/// Keeps aside what these records are stored from, as the others are written in the same transaction:
/// a later row of a file in quarantine, too.
pub(super) async fn set_aside(
    conn: &mut Connection,
    (stream, run): (&Stream, RunId),
    displaced: &[Displaced],
    now: DateTime<Utc>,
) -> db::Result<Left> {
    if displaced.is_empty() {
        return Ok(Left::default());
    }
    let ids: Vec<_> = displaced.iter().map(|it| &*it.source_id).collect();
    let hashes: Vec<_> = displaced.iter().map(|it| &it.content_hash[..]).collect();
    let place = (stream.object.key(), run);
    let rows = raw_records::set_aside(conn, stream.tenant, place, (&ids, &hashes)).await?;
    let by_id: HashMap<_, _> = displaced.iter().map(|it| (&*it.source_id, it)).collect();
    let of = |row: &raw_records::SetAside| by_id.get(&*row.source_id).copied();
    let is_later = |it: &&raw_records::SetAside| of(it).is_some_and(|it| !it.is_older);
    let later: Vec<_> = rows.iter().filter(is_later).collect();
    let reasons: Vec<_> = later
        .iter()
        .map(|it| collision_in_file(&it.source_id))
        .collect();
    let quarantined = later
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
        let Some(displaced) = of(row).filter(|it| !it.in_batch) else {
            continue;
        };
        match (displaced.run == run, displaced.is_older) {
            (true, true) => left.superseded += 1,
            (false, true) => {}
            (true, false) => left.written += 1,
            (false, false) => left.stored += 1,
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
            stored_by: Some(known.run_id),
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
            stored_by: None,
        }
    }
}
