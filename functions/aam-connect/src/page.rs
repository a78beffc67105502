//! Pages of lists: a limit, a place to go on from, a cursor for the next one.

use chrono::{DateTime, Utc};
use platform::cursor::{self, Scope};
use platform::{Platform, Result};
use schema::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The place behind a row in a list that shows the newest first.
pub(crate) type Place = (DateTime<Utc>, Uuid);

/// Which part of a list. `P` is what the list is ordered by.
pub(crate) struct Page<P = Place> {
    pub(crate) limit: i64,
    pub(crate) after: Option<P>,
}

impl<P: Serialize + DeserializeOwned> Page<P> {
    /// Reads the parameters `limit` and `cursor`.
    pub(crate) fn read(
        platform: &Platform,
        scope: &Scope<'_>,
        limit: Option<i64>,
        cursor: Option<&str>,
    ) -> Result<Page<P>> {
        let limit = limit.unwrap_or(100);
        if !(1..=1000).contains(&limit) {
            return Err(Error::invalid("?limit", "1 to 1000").into());
        }
        let after = cursor
            .map(|it| cursor::open(&platform.keys.signing, scope, it))
            .transpose()?;
        Ok(Page { limit, after })
    }

    /// The cursor behind the last of these rows; none where they do not fill the page.
    pub(crate) fn next<T>(
        &self,
        platform: &Platform,
        scope: &Scope<'_>,
        rows: &[T],
        place: impl Fn(&T) -> P,
    ) -> Option<String> {
        let full = i64::try_from(rows.len()) == Ok(self.limit);
        rows.last()
            .filter(|_| full)
            .map(|it| cursor::seal(&platform.keys.signing, scope, &place(it)))
    }
}
