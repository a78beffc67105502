//! Keyset pagination: which part of a list a statement fetches.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A row of a list.
pub trait Keyset {
    /// The values that the list is ordered by, which no two rows share: what a cursor holds.
    type Key: Serialize + DeserializeOwned;

    /// Those of this row.
    fn keyset(&self) -> Self::Key;
}

/// The key of a list that shows the newest first.
pub type CreatedAtKey = (DateTime<Utc>, Uuid);

/// Which part of a list to fetch.
pub struct Page<K = CreatedAtKey> {
    /// How many rows: one more than are shown, to know whether others follow.
    pub fetch: i64,
    /// The key behind which the page begins.
    pub after: Option<K>,
}
