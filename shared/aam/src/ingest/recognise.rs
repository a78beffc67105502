//! Which items are stored to the letter, so that they need not be read at all.
//!
//! A record that is stored under an id, with the hash of a payload and the version of a mapping, is
//! what that mapping has made of that payload. The same payload under the same mapping makes the
//! same record again: where the stored one is found, neither its id nor its content is in doubt.

use std::collections::{HashMap, HashSet};

use mapping::Plan;
use schema::RunId;

use super::decide::{Times, is_stored};
use super::prepare::{Read, check_id, hash, occurred_at, prepare};
use super::{Item, Op, Run, Stream};
use crate::db::raw_records::{self, Known};
use crate::db::runs::RunKind;
use crate::db::{self, Connection};

/// What is known of the items of a batch, in their order.
pub(super) struct Recognised<'a> {
    /// None where the item is stored already, to the letter.
    pub(super) read: Vec<Option<Read<'a>>>,
    /// Those that are stored already.
    pub(super) same: Vec<Same>,
    /// What is stored under the ids of the others.
    pub(super) known: Vec<Known>,
}

/// An item that is stored to the letter.
pub(super) struct Same {
    /// Its place in the batch.
    pub(super) index: usize,
    pub(super) source_id: String,
    /// The run that wrote it.
    pub(super) run: RunId,
}

/// Reads the items, but for those that are stored to the letter. A replay reads all of them.
pub(super) async fn recognise<'a>(
    conn: &mut Connection,
    (stream, run): (&'a Stream, &Run),
    items: &[Item<'a>],
    times: Times,
) -> db::Result<Recognised<'a>> {
    let hashes: Vec<_> = items.iter().map(hash).collect();
    let guesses: Vec<_> = match run.kind {
        RunKind::Replay => vec![None; items.len()],
        _ => items.iter().map(|it| guess(stream, it)).collect(),
    };
    let guessed: Vec<_> = guesses.iter().flatten().map(String::as_str).collect();
    let mut known = list_known(conn, stream, &guessed).await?;
    let stored: HashMap<_, _> = known.iter().map(|it| (it.source_id.as_str(), it)).collect();
    let is_same = |index: usize| {
        let id = guesses[index].as_deref();
        let known = id.and_then(|it| stored.get(it));
        let (item, hash) = (&items[index], &hashes[index]);
        known.is_some_and(|it| is_same(it, (item, hash), stream.mapping_version, times))
    };
    let read_one = |index: usize| prepare(&stream.plan, &items[index], hashes[index]);
    let mut read: Vec<_> = (0..items.len())
        .map(|it| (!is_same(it)).then(|| read_one(it)))
        .collect();
    let ids: HashSet<_> = ids(&read).map(str::to_owned).collect();
    // Of one record, every item has its turn where one is not the same.
    for (index, read) in read.iter_mut().enumerate() {
        let guess = guesses[index].as_ref().filter(|_| read.is_none());
        if guess.is_some_and(|it| ids.contains(it)) {
            *read = Some(read_one(index));
        }
    }
    let same = (0..read.len()).filter(|it| read[*it].is_none());
    let same = same.filter_map(|index| {
        let source_id = guesses[index].clone()?;
        let run = stored.get(source_id.as_str())?.run_id;
        Some(Same {
            index,
            source_id,
            run,
        })
    });
    let same: Vec<_> = same.collect();
    let guessed: HashSet<_> = guessed.into_iter().collect();
    let ids_only = ids.iter().map(String::as_str);
    let missed: Vec<_> = ids_only.filter(|it| !guessed.contains(it)).collect();
    known.extend(list_known(conn, stream, &missed).await?);
    known.retain(|it| ids.contains(&it.source_id));
    Ok(Recognised { read, same, known })
}

fn guess(stream: &Stream, item: &Item<'_>) -> Option<String> {
    match item.op {
        Op::Upsert => guess_id(&stream.plan, std::str::from_utf8(item.payload).ok()?),
        Op::Delete => None,
    }
}

/// The id that a record has unless something is wrong with it.
pub(crate) fn guess_id(plan: &Plan, payload: &str) -> Option<String> {
    let id = plan.guess_source_id(payload)?;
    check_id(&id).ok()?;
    Some(id)
}

/// Whether that is stored, and from the same row.
fn is_same(
    known: &Known,
    (item, hash): (&Item<'_>, &[u8; 32]),
    mapping_version: i32,
    times: Times,
) -> bool {
    let key = known.source_key.as_deref();
    item.source_key.is_none_or(|it| key == Some(it))
        && is_stored(known, (hash, occurred_at(item)), mapping_version, times)
}

fn ids<'r>(read: &'r [Option<Read<'_>>]) -> impl Iterator<Item = &'r str> {
    let prepared = read.iter().flatten().flatten();
    prepared.map(|it| it.source_id.as_str())
}

async fn list_known(
    conn: &mut Connection,
    stream: &Stream,
    ids: &[&str],
) -> db::Result<Vec<Known>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    raw_records::list_known(conn, stream.tenant, stream.object.key(), ids).await
}
