//! Rows of one file with one id: the first has the record, and the others say something else of it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};
use schema::RunId;

use super::prepare::{Prepared, Read};
use super::recognise::Same;
use super::unmapped_key::UnmappedKey;
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

/// The records that more than one row of a batch claims, and the keys of those that have them.
#[derive(Debug, Default)]
pub(super) struct Holders {
    ids: Vec<String>,
    keys: Vec<String>,
}

/// A row that claims the record of another.
struct Claim {
    index: usize,
    holder: UnmappedKey,
    own: UnmappedKey,
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
        let claims = self.claims(read, known, (run, mapping_version));
        let mut holders = Holders::default();
        for claim in claims {
            let Some(Ok(item)) = read[claim.index].take() else {
                unreachable!("only what was read claims a record");
            };
            holders.ids.push(item.source_id.clone());
            holders.keys.push(claim.holder.as_str().to_owned());
            let rejected = item.collide_in_file(claim.own.as_str().to_owned());
            read[claim.index] = Some(Err(Box::new(rejected)));
        }
        holders
    }

    fn claims(
        &mut self,
        read: &[Option<Read<'_>>],
        known: &[Known],
        (run, mapping_version): (RunId, i32),
    ) -> Vec<Claim> {
        let known = known.iter().filter(|it| !it.deleted);
        let known: HashMap<_, _> = known.map(|it| (it.source_id.as_str(), it)).collect();
        let mut firsts = HashMap::<&str, First>::new();
        let mut claims = Vec::new();
        for (index, item) in read.iter().enumerate() {
            let Some(Ok(item)) = item else { continue };
            let id = item.source_id.as_str();
            let stored = known.get(id).copied();
            let of_file = stored.filter(|it| it.run_id == run || self.met(id, mapping_version));
            let first = firsts.get(id).copied().or(of_file.map(First::stored));
            if stored.is_some_and(|it| it.content_hash == item.content_hash) {
                self.meet(id, mapping_version);
            }
            match first {
                Some(first) if first.content_hash == item.content_hash => self.repeated += 1,
                Some(first) if !first.is_other_version(item) => {
                    let key = stored.and_then(|it| it.source_key.as_deref());
                    claims.push(Claim::new(index, (first, item), (key, run)));
                }
                _ => {
                    firsts.insert(id, First::new(item));
                }
            }
        }
        claims
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

    fn is_other_version(&self, item: &Prepared<'_>) -> bool {
        self.version.is_some() && item.version.is_some() && self.version != item.version
    }
}

impl Claim {
    /// The keys are of one run: that of the record's key where it has one, as a later replay
    /// compares with that.
    fn new(
        index: usize,
        (first, item): (First, &Prepared<'_>),
        (key, now): (Option<&str>, RunId),
    ) -> Claim {
        let run = key.and_then(UnmappedKey::run_of).map(str::to_owned);
        let run = run.unwrap_or_else(|| now.to_string());
        Claim {
            index,
            holder: UnmappedKey::of_content(&run, &first.content_hash),
            own: UnmappedKey::of_content(&run, &item.content_hash),
        }
    }
}

impl Holders {
    /// Notes which rows have the records, so that no replay gives them to the others.
    pub(super) async fn note(&self, conn: &mut Connection, stream: &Stream) -> db::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = self.ids.iter().map(String::as_str).collect();
        let keys: Vec<_> = self.keys.iter().map(String::as_str).collect();
        raw_records::set_keys(conn, stream.tenant, stream.object.key(), (&ids, &keys)).await
    }
}
