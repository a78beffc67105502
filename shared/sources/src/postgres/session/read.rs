//! Reading a table by keyset: a snapshot in the order of the key, changes in that of the cursor.
//!
//! The state is where a read stands: the last row's values of what it is ordered by (keyset
//! pagination), and what was found out when it began.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PostgresSession;
use super::page::{KeysetPage, PageStart, Row};
use crate::postgres::table::{KeyColumn, ReadOrder, RowSecurity};
use crate::postgres::{Object, PAGE_BYTES};
use crate::session::unknown_stream;
use crate::{
    Batch, Checkpoint, Incomplete, KeyLookup, ReadScope, RecordBody, Session, SourceError,
    SourceErrorKind, SourceRecord, StreamDescription,
};

/// Where a read of a table stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
enum State {
    /// Nothing of it is read yet but what came before this value of the cursor.
    Checkpoint(Position),
    /// In the middle of a read.
    Reading(Box<Reading>),
}

/// How far a table was read.
#[derive(Debug, Serialize, Deserialize)]
struct Position {
    /// In the order of this column,
    column: String,
    /// which had this type: values of another one cannot be compared with it.
    cast: String,
    /// This far.
    cursor: String,
}

/// A read that began.
#[derive(Debug, Serialize, Deserialize)]
struct Reading {
    order: ReadOrder,
    progress: ReadPosition,
    /// Where row-level security decides which rows are shown.
    row_security: Option<RowSecurity>,
    /// How many rows came.
    rows: u64,
    /// How many of them have a cursor that lies in the future.
    ahead: u64,
}

/// Which rows a read goes through, and how far it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReadPosition {
    /// Every row, in the order of the key.
    Snapshot {
        /// The key of the last row.
        after: Option<Vec<String>>,
        /// The greatest cursor from before the first row was read.
        high_watermark: Option<String>,
    },
    /// What changed, in the order of the cursor.
    Changes {
        since: String,
        /// Cursor and key of the last row.
        after: Option<(String, Vec<String>)>,
    },
}

impl Session for PostgresSession {
    fn check(&mut self) -> BoxFuture<'_, Result<(), Vec<SourceError>>> {
        Box::pin(async {
            let mut errors = Vec::new();
            for (index, object) in self.config.objects.clone().iter().enumerate() {
                errors.extend(self.check_object(index, object).await.err());
            }
            if errors.is_empty() {
                Ok(())
            } else {
                Err(errors)
            }
        })
    }

    fn discover<'a>(
        &'a mut self,
        stream: &'a str,
    ) -> BoxFuture<'a, Result<StreamDescription, SourceError>> {
        Box::pin(async move {
            let (index, object) = self.object(stream)?;
            let table = self.table(index, &object).await?;
            Ok(table.describe())
        })
    }

    fn read<'a>(
        &'a mut self,
        stream: &'a str,
        state: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<Batch, SourceError>> {
        Box::pin(async move {
            let (index, object) = self.object(stream)?;
            let state = state.map(State::deserialize).transpose();
            let state = state.map_err(|_| unreadable(stream))?;
            let (reading, warnings) = match state {
                Some(State::Reading(reading)) => (*reading, vec![]),
                Some(State::Checkpoint(position)) => {
                    self.begin(index, &object, Some(position)).await?
                }
                None => self.begin(index, &object, None).await?,
            };
            let page = self.page(&object, &reading.start()).await?;
            let mut batch = reading.next(&object, page)?;
            batch.warnings.splice(0..0, warnings);
            Ok(batch)
        })
    }

    fn lookup(&mut self) -> Option<&mut dyn KeyLookup> {
        Some(self)
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(self.sign_off())
    }
}

impl KeyLookup for PostgresSession {
    fn list_existing<'a>(
        &'a mut self,
        stream: &'a str,
        state: &'a Value,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashSet<usize>, SourceError>> {
        Box::pin(async move {
            let (_, object) = self.object(stream)?;
            let order = order_of(stream, state)?;
            self.existing(&object, &order, &format!("[{}]", keys.join(",")))
                .await
        })
    }

    fn fetch<'a>(
        &'a mut self,
        stream: &'a str,
        state: &'a Value,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<HashMap<usize, Option<String>>, SourceError>> {
        Box::pin(async move {
            let (_, object) = self.object(stream)?;
            let order = order_of(stream, state)?;
            let keys = format!("[{}]", keys.join(","));
            let found = self.with_keys(&object, &order, &keys).await?;
            Ok(found.into_iter().collect())
        })
    }
}

impl PostgresSession {
    /// The object of that name, with its index among the others of the config.
    fn object(&self, stream: &str) -> Result<(usize, Object), SourceError> {
        let found = self.config.object(stream);
        let (index, object) = found.ok_or_else(|| unknown_stream(stream))?;
        Ok((index, object.clone()))
    }

    async fn check_object(&mut self, index: usize, object: &Object) -> Result<(), SourceError> {
        let order = self.table(index, object).await?.order(index, object)?;
        self.check_key(index, object, &order).await?;
        self.check_cursor(index, object, &order).await
    }

    /// Begins a read: of what changed since the position, where it is one of the cursor, else of
    /// all rows. Says what it leaves out.
    async fn begin(
        &mut self,
        index: usize,
        object: &Object,
        position: Option<Position>,
    ) -> Result<(Reading, Vec<String>), SourceError> {
        let table = self.table(index, object).await?;
        let order = table.order(index, object)?;
        self.check_cursor(index, object, &order).await?;
        let mut warnings = Vec::new();
        let position = position.filter(|it| {
            let cursor = order.cursor.as_ref();
            cursor.is_some_and(|cursor| cursor.name == it.column && cursor.cast == it.cast)
        });
        let progress = match (position, &order.cursor) {
            (Some(position), Some(cursor)) => {
                if order.nullable && self.has_null_cursors(object, cursor).await? {
                    warnings.push(left_out(object, cursor));
                }
                ReadPosition::Changes {
                    since: position.cursor,
                    after: None,
                }
            }
            (_, Some(cursor)) => ReadPosition::Snapshot {
                after: None,
                high_watermark: self.newest(object, cursor).await?,
            },
            (_, None) => ReadPosition::Snapshot {
                after: None,
                high_watermark: None,
            },
        };
        let reading = Reading {
            order,
            progress,
            row_security: table.row_security,
            rows: 0,
            ahead: 0,
        };
        Ok((reading, warnings))
    }
}

impl Reading {
    fn start(&self) -> PageStart<'_> {
        let order = &self.order;
        match (&self.progress, &order.cursor) {
            (
                ReadPosition::Snapshot {
                    after: Some(key), ..
                },
                _,
            ) => PageStart::AfterKey(order, key),
            (
                ReadPosition::Changes {
                    after: Some((at, key)),
                    ..
                },
                Some(cursor),
            ) => PageStart::AfterCursor(order, cursor, at, key),
            (ReadPosition::Changes { since, after: None }, Some(cursor)) => {
                PageStart::Since(order, cursor, since)
            }
            _ => PageStart::First(order),
        }
    }

    /// The page as a batch, and where to go on after it.
    fn next(mut self, object: &Object, page: KeysetPage) -> Result<Batch, SourceError> {
        let name = object.name();
        if self.stands_still(&page) {
            let message = format!("`{name}` sends the same row again and again: name another key");
            return Err(SourceError::new(
                SourceErrorKind::Schema,
                "/objects",
                message,
            ));
        }
        self.rows += page.rows.len() as u64;
        let ahead = |it: &&Row| it.reached != it.cursor;
        self.ahead += page.rows.iter().filter(ahead).count() as u64;
        let last = page.rows.last();
        let reached = last.and_then(|it| it.reached.clone());
        let exhausted = page.last || last.is_none();
        let (scope, reached) = match &mut self.progress {
            ReadPosition::Snapshot {
                after,
                high_watermark,
            } => {
                *after = last.map(|it| it.key.clone()).or(after.take());
                let reached = high_watermark.clone().filter(|_| exhausted);
                (ReadScope::Snapshot, reached)
            }
            ReadPosition::Changes { after, .. } => {
                let last = last.and_then(|it| Some((it.cursor.clone()?, it.key.clone())));
                *after = last.or(after.take());
                (ReadScope::Changes, reached)
            }
        };
        let checkpoint = reached.and_then(|it| self.checkpoint(it));
        let (records, shape) = (self.records(page.rows), self.order.shape.clone());
        Ok(Batch {
            records,
            key_shape: shape,
            scope,
            exhausted,
            checkpoint,
            warnings: self.warnings().filter(|_| exhausted).into_iter().collect(),
            incomplete: self.incomplete(&name).filter(|_| exhausted),
            state: state(&State::Reading(Box::new(self))),
        })
    }

    /// Whether the page ends where the one before it did.
    fn stands_still(&self, page: &KeysetPage) -> bool {
        let Some(last) = page.rows.last() else {
            return false;
        };
        match &self.progress {
            ReadPosition::Snapshot {
                after: Some(key), ..
            } => *key == last.key,
            ReadPosition::Changes {
                after: Some((cursor, key)),
                ..
            } => Some(cursor) == last.cursor.as_ref() && *key == last.key,
            _ => false,
        }
    }

    fn records(&self, rows: Vec<Row>) -> Vec<SourceRecord> {
        let record = |it: Row| SourceRecord {
            key: format!("{}{}", self.order.shape, json!(it.key)),
            body: match it.body {
                Some(body) => RecordBody::Upsert(body),
                None => RecordBody::TooLarge {
                    limit: PAGE_BYTES,
                    key: self.named(&it.key),
                },
            },
        };
        rows.into_iter().map(record).collect()
    }

    /// A key as a JSON object.
    fn named(&self, key: &[String]) -> String {
        let names = self.order.key.iter().map(|it| it.name.as_str());
        let named: std::collections::BTreeMap<_, _> = names.zip(key).collect();
        json!(named).to_string()
    }

    fn checkpoint(&self, cursor: String) -> Option<Checkpoint> {
        let column = self.order.cursor.as_ref()?;
        let position = Position {
            column: column.name.clone(),
            cast: column.cast.clone(),
            cursor: cursor.clone(),
        };
        Some(Checkpoint {
            state: state(&State::Checkpoint(position)),
            cursor: Some(cursor),
        })
    }

    fn warnings(&self) -> Option<String> {
        (0 < self.ahead).then(|| {
            format!(
                "rows whose cursor is later than the source's own time: {}; the position stops at \
                 that time, and they are read again each time until the source corrects them",
                self.ahead
            )
        })
    }

    /// The source's statistics count all rows. Where they count as many as were shown, none is
    /// hidden.
    fn incomplete(&self, name: &str) -> Option<Incomplete> {
        let ReadPosition::Snapshot { .. } = self.progress else {
            return None;
        };
        let hides = |it: &RowSecurity| it.rows != Some(self.rows);
        self.row_security.as_ref().filter(|it| hides(it)).map(|_| Incomplete {
            reason: format!(
                "row-level security decides which rows of `{name}` are shown, and the source does \
                 not count as many as it showed"
            ),
            remedy: "give the user `bypassrls`".to_owned(),
        })
    }
}

/// What an incremental read does not see.
fn left_out(object: &Object, cursor: &KeyColumn) -> String {
    format!(
        "rows of `{}` whose `{}` is null were left out: a full sync reads them",
        object.name(),
        cursor.name
    )
}

fn order_of(stream: &str, state: &Value) -> Result<ReadOrder, SourceError> {
    match State::deserialize(state) {
        Ok(State::Reading(reading)) => Ok(reading.order),
        _ => Err(unreadable(stream)),
    }
}

fn unreadable(stream: &str) -> SourceError {
    let message = format!("where the read of `{stream}` stood cannot be read: sync it in full");
    SourceError::new(SourceErrorKind::Schema, "", message)
}

fn state(state: &State) -> Value {
    serde_json::to_value(state).expect("plain data")
}
