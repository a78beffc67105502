//! Pages of lists: a limit, a place to go on from, a cursor for the next one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use schema::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::Platform;
use crate::cursor::{self, Scope};
use crate::secrets::Document;

/// The parameters of a list that has no others.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// 1 to 1000, default 100.
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The place behind a row in a list that shows the newest first.
pub type CreatedAtKey = (DateTime<Utc>, Uuid);

/// Which part of a list. `P` is what the list is ordered by.
pub struct Page<P = CreatedAtKey> {
    /// How many rows to fetch: one more than are shown, to know whether others follow.
    pub fetch: i64,
    /// The place behind which the page begins.
    pub after: Option<P>,
    secrets: Arc<Document>,
}

impl<P: Serialize + DeserializeOwned> Page<P> {
    /// Reads the parameters `limit` and `cursor`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the limit is out of bounds or the cursor is of another list.
    /// [`Error::Unavailable`] where the keys that sign cursors cannot be read.
    pub fn read(
        platform: &Platform,
        scope: &Scope<'_>,
        limit: Option<i64>,
        cursor: Option<&str>,
    ) -> Result<Page<P>> {
        let fetch = check_limit(limit.unwrap_or(100))? + 1;
        let secrets = platform.secrets.known()?;
        let after = cursor
            .map(|it| cursor::open(&secrets.keys.signing, scope, it))
            .transpose()?;
        Ok(Page {
            fetch,
            after,
            secrets,
        })
    }

    /// Takes the row that is not shown off the rows that were fetched, and returns the cursor
    /// behind the others; none where there was no such row.
    pub fn next<T>(
        &self,
        scope: &Scope<'_>,
        rows: &mut Vec<T>,
        place: impl Fn(&T) -> P,
    ) -> Option<String> {
        if i64::try_from(rows.len()) != Ok(self.fetch) {
            return None;
        }
        rows.pop();
        rows.last()
            .map(|it| cursor::seal(&self.secrets.keys.signing, scope, &place(it)))
    }
}

/// The limit, if a list may be that long.
///
/// # Errors
/// [`Error::Invalid`] where it may not.
pub fn check_limit(limit: i64) -> Result<i64> {
    if (1..=1000).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid("?limit", "is between 1 and 1000"))
}
