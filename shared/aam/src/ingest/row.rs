//! What rows with one id are to each other, when they are read in another order than they came in.

use chrono::{DateTime, Utc};
use schema::RunId;

/// A row as far as that depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The run that brought it.
    pub(crate) origin: RunId,
    /// Where it stood in its file.
    pub(crate) line: Option<u64>,
    pub(crate) version: Option<DateTime<Utc>>,
    pub(crate) content_hash: [u8; 32],
}

/// What a row is to the one that has its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// It says the same.
    Same,
    /// It is a newer version of the record.
    Newer,
    /// It is an older one.
    Older,
    /// It is of the same file and stands before it.
    Earlier,
    /// It is of the same file and stands behind it, or nobody knows where.
    Later,
}

impl Row {
    /// What `other` is to this one, which has the record.
    pub(crate) fn meet(&self, other: &Row) -> Meeting {
        let newer = |is: bool| if is { Meeting::Newer } else { Meeting::Older };
        if self.content_hash == other.content_hash {
            Meeting::Same
        } else if are_two_versions(self.version, other.version) {
            newer(self.version < other.version)
        } else if self.origin != other.origin {
            newer(self.origin < other.origin)
        } else if other.line.is_some() && other.line < self.line {
            Meeting::Earlier
        } else {
            Meeting::Later
        }
    }
}

/// Whether rows of a file are two versions of one record, and not two records.
pub(super) fn are_two_versions(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> bool {
    one.is_some() && other.is_some() && one != other
}
