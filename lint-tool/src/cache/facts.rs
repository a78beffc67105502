//! The facts of files by the hash of their text, all in one file: a run reads one file, not thousands.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use super::{Hash, atomic_file, hash};
use crate::facts::{self, Facts};

/// What was known when the run began.
#[derive(Debug, Default)]
pub(crate) struct FactCache {
    path: Option<PathBuf>,
    body: Vec<u8>,
    known: HashMap<Hash, Range<usize>>,
}

/// Facts and whether they were extracted just now.
pub(crate) struct Entry {
    pub(crate) facts: Facts,
    pub(crate) hash: Hash,
    pub(crate) is_new: bool,
}

impl FactCache {
    /// Reads what is there; `None` keeps nothing.
    pub(super) fn open(path: Option<PathBuf>) -> FactCache {
        let body = path
            .as_deref()
            .and_then(atomic_file::read)
            .unwrap_or_default();
        let known = entries(&body);
        FactCache { path, body, known }
    }

    /// The facts of a text, from the cache or from the text.
    pub(crate) fn facts_of(&self, text: &str) -> Entry {
        if self.path.is_none() {
            return Entry {
                facts: facts::extract(text),
                hash: 0,
                is_new: true,
            };
        }
        let hash = hash(text);
        let bytes = self.known.get(&hash).map(|it| &self.body[it.clone()]);
        let known = bytes.and_then(|it| postcard::from_bytes(it).ok());
        Entry {
            is_new: known.is_none(),
            facts: known.unwrap_or_else(|| facts::extract(text)),
            hash,
        }
    }

    /// Writes the facts of this run in place of those of the last one, if there are other ones.
    pub(crate) fn keep<'a>(&self, used: impl Iterator<Item = (Hash, bool, &'a Facts)>) {
        let Some(path) = &self.path else { return };
        let used: Vec<_> = used.collect();
        if used.iter().all(|(_, is_new, _)| !is_new) {
            return;
        }
        let mut body = Vec::with_capacity(self.body.len());
        for (hash, is_new, facts) in used {
            match self.known.get(&hash).filter(|_| !is_new) {
                Some(known) => push(&mut body, hash, &self.body[known.clone()]),
                None => {
                    if let Ok(bytes) = postcard::to_allocvec(facts) {
                        push(&mut body, hash, &bytes);
                    }
                }
            }
        }
        atomic_file::write(path, &body);
    }
}

/// An entry is its hash, its length and its bytes.
const HEAD: usize = 20;

fn push(body: &mut Vec<u8>, hash: Hash, bytes: &[u8]) {
    let Ok(length) = u32::try_from(bytes.len()) else {
        return;
    };
    body.extend(hash.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(bytes);
}

fn entries(body: &[u8]) -> HashMap<Hash, Range<usize>> {
    let mut known = HashMap::new();
    let mut at = 0;
    while let Some((head, _)) = body.get(at..).and_then(|it| it.split_first_chunk::<HEAD>()) {
        let mut hash = [0; 16];
        hash.copy_from_slice(&head[..16]);
        let length = u32::from_le_bytes([head[16], head[17], head[18], head[19]]) as usize;
        let range = at + HEAD..at + HEAD + length;
        at = range.end;
        if at > body.len() {
            break;
        }
        known.insert(Hash::from_le_bytes(hash), range);
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_again_by_its_hash() {
        let mut body = Vec::new();
        push(&mut body, 7, b"seven");
        push(&mut body, 8, b"");
        let known = entries(&body);
        assert_eq!(&body[known[&7].clone()], b"seven");
        assert_eq!(known[&8].len(), 0);
        assert_eq!(entries(&body[..body.len() - 1]).len(), 1);
    }

    #[test]
    fn facts_come_back_as_they_were() {
        let text = "use a::b as c;\nmod m { #[path = \"x\"] mod n; }\nstruct S { a: u8 }\n\
            fn f() { sqlx::query!(\"insert into t values (1)\"); include!(\"a\") }\n// structure-lint: allow(SL001)\nmod z;";
        let facts = facts::extract(text);
        let bytes = postcard::to_allocvec(&facts).unwrap();
        let back: Facts = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(format!("{back:?}"), format!("{facts:?}"));
    }
}
