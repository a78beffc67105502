//! Rows of one file with one id: the first has the record, and the others say something else of it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};
use schema::RunId;

use super::prepare::{Prepared, Read};
use super::recognise::Same;
use super::row::are_two_versions;
use super::{Run, Stream};
use crate::db::raw_records::{self, Known};
use crate::db::runs::RunKind;
use crate::db::{self, Connection};

/// Ids that are remembered, 16 MiB of them. Only rows that changed nothing are: what a file has
/// written is found by its run. Behind so many of them, a second row passes for a later version.
const MAX_UNCHANGED: usize = 1 << 20;

/// The rows of a file so far.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    hasher: RandomState,
    unchanged: HashSet<u64>,
    /// How many were in the file before, to the letter.
    pub(super) repeated: u64,
}

/// The first row with an id.
#[derive(Clone, Copy)]
struct First {
    content_hash: [u8; 32],
    version: Option<DateTime<Utc>>,
}

/// Records that have more than one row in the file, and before which line each has its first one.
#[derive(Debug, Default)]
pub(super) struct Holders {
    ids: Vec<String>,
    lines: Vec<i64>,
}

impl Holders {
    fn add(&mut self, id: &str, line: Option<u64>) {
        let line = line.and_then(|it| i64::try_from(it).ok());
        if let Some(line) = line.filter(|_| !self.ids.iter().any(|it| it == id)) {
            self.ids.push(id.to_owned());
            self.lines.push(line);
        }
    }

    /// Notes that those which the file does not change are its rows, too, so that no replay takes the
    /// others for later versions of them.
    pub(super) async fn note(
        &self,
        conn: &mut Connection,
        passage: (&Stream, RunId),
    ) -> db::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let (stream, run) = passage;
        let ids: Vec<_> = self.ids.iter().map(String::as_str).collect();
        let place = (stream.object.key(), run);
        raw_records::set_origin(conn, stream.tenant, place, (&ids, &self.lines)).await
    }
}

impl FileRows {
    /// Turns rows away whose record another row of the file has, with other content. Where both have
    /// a version they are two of one record, as everywhere.
    pub(super) fn contest(
        &mut self,
        read: &mut [Option<Read<'_>>],
        (same, known): (&[Same], &[Known]),
        (run, mapping_version): (&Run, i32),
    ) -> Holders {
        if run.kind != RunKind::Upload {
            return Holders::default();
        }
        let run = run.id;
        for it in same {
            let before = it.run == run || self.meet(&it.source_id, mapping_version);
            self.repeated += u64::from(before);
        }
        let (later, holders) = self.later_rows(read, known, (run, mapping_version));
        for index in later {
            reject(read, index);
        }
        holders
    }

    /// Those whose record an earlier row has, and all records that have more than one row.
    fn later_rows(
        &mut self,
        read: &[Option<Read<'_>>],
        known: &[Known],
        (run, mapping_version): (RunId, i32),
    ) -> (Vec<usize>, Holders) {
        let known = known.iter().filter(|it| !it.deleted);
        let known: HashMap<_, _> = known.map(|it| (it.source_id.as_str(), it)).collect();
        let mut firsts = HashMap::<&str, First>::new();
        let mut holders = Holders::default();
        let mut later = Vec::new();
        for (index, item) in read.iter().enumerate() {
            let id = item.as_ref().and_then(|it| match it {
                Ok(item) => Some(item.source_id.as_str()),
                Err(rejected) => rejected.source_id.as_deref(),
            });
            let (Some(item), Some(id)) = (item, id) else {
                continue;
            };
            let stored = known.get(id).copied();
            let of_file = stored.filter(|it| it.run_id == run || self.met(id, mapping_version));
            let first = firsts.get(id).copied().or(of_file.map(First::stored));
            let item = match item {
                Ok(item) => item,
                Err(rejected) => {
                    first
                        .into_iter()
                        .for_each(|_| holders.add(id, rejected.line));
                    continue;
                }
            };
            if stored.is_some_and(|it| it.content_hash == item.content_hash) {
                self.meet(id, mapping_version);
            }
            match first {
                Some(first) if first.content_hash == item.content_hash => self.repeated += 1,
                Some(first) if !are_two_versions(first.version, item.version) => {
                    holders.add(id, item.line);
                    later.push(index);
                }
                _ => {
                    firsts.insert(id, First::new(item));
                }
            }
        }
        (later, holders)
    }

    fn hash(&self, id: &str, mapping_version: i32) -> u64 {
        self.hasher.hash_one((mapping_version, id))
    }

    fn met(&self, id: &str, mapping_version: i32) -> bool {
        self.unchanged.contains(&self.hash(id, mapping_version))
    }

    /// Remembers the id, and says whether it was known.
    fn meet(&mut self, id: &str, mapping_version: i32) -> bool {
        let hash = self.hash(id, mapping_version);
        let has_room = self.unchanged.len() < MAX_UNCHANGED;
        self.unchanged.contains(&hash) || has_room && !self.unchanged.insert(hash)
    }
}

impl First {
    fn new(item: &Prepared<'_>) -> First {
        First {
            content_hash: item.content_hash,
            version: item.version,
        }
    }

    fn stored(known: &Known) -> First {
        First {
            content_hash: known.content_hash.as_slice().try_into().unwrap_or_default(),
            version: known.version,
        }
    }
}

/// Turns a row away whose record another row of its file has.
pub(super) fn reject(read: &mut [Option<Read<'_>>], index: usize) {
    let item = read[index].take();
    read[index] = item.map(|it| it.and_then(|it| Err(Box::new(it.collide_in_file()))));
}
