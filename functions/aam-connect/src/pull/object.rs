//! One object of a source in a sync: which rows are next, and what becomes of them.

use aam::db::runs::{self, RunKind};
use aam::db::{self, Connection};
use aam::ingest::{Counts, Item, Op, Passage, Run, Stream};
use chrono::{DateTime, Utc};
use schema::RunId;
use schema::source::ObjectKey;
use serde::{Deserialize, Serialize};
use sources::postgres::{Line, Order, Page, Row, Secured, Start};
use sources::{SourceError, SourceErrorKind};

use super::Halt;
use super::claims::{self, Claims};
use super::place::Place;
use super::sweep::{Gone, Sweep};
use crate::db::positions::{self, Position};
use crate::db::stored;

/// The object in work.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) object: String,
    pub(super) run: RunId,
    started_at: DateTime<Utc>,
    pub(super) order: Order,
    pub(super) way: Way,
    bytes: u64,
    pub(super) counts: Counts,
    /// Where row-level security decides which rows are shown, and nobody has said that deletions are
    /// right.
    #[serde(default)]
    pub(super) secured: Option<Secured>,
    /// How many rows the source has shown.
    #[serde(default)]
    pub(super) shown: u64,
    /// How many records of it were stored before, where all rows are read.
    #[serde(default)]
    pub(super) before: Option<u64>,
    /// How many rows have a cursor from the future.
    #[serde(default)]
    ahead: u64,
    /// What is left undone, and why.
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

/// How the object is read, and how far.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// Every row, in the order of the key.
    All {
        /// The key of the last row that was read.
        after: Option<Vec<String>>,
        /// The greatest cursor from before the first row.
        newest: Option<String>,
    },
    /// What changed, in the order of the cursor.
    Changed {
        since: String,
        /// Cursor and key of the last row that was read.
        after: Option<(String, Vec<String>)>,
    },
    /// Stored records, of which some may be gone from the source.
    Gone {
        /// The source id of the last record that was looked for.
        after: String,
        newest: Option<String>,
        /// They are counted before the first one is deleted.
        #[serde(default)]
        sweep: Sweep,
    },
    /// What is in quarantine, of which some may be gone from the source.
    Aside {
        /// The last place that was looked at.
        after: String,
        newest: Option<String>,
    },
    /// Nothing is left.
    Over,
}

/// What a source said, to be written down.
pub(super) enum Found {
    Rows { page: Page, claims: Claims },
    Gone(Gone),
}

impl Current {
    pub(super) fn new(
        object: String,
        (order, secured, before): (Order, Option<Secured>, Option<u64>),
        way: Way,
        now: DateTime<Utc>,
    ) -> Current {
        Current {
            object,
            run: RunId(uuid::Uuid::now_v7()),
            started_at: now,
            order,
            way,
            bytes: 0,
            counts: Counts::default(),
            secured,
            shown: 0,
            before,
            ahead: 0,
            warnings: vec![],
        }
    }

    /// What became of its rows so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.way, Way::Over)
    }

    pub(super) fn key(&self, place: &Place<'_>) -> ObjectKey<'_> {
        ObjectKey {
            connection: place.connection,
            name: &self.object,
        }
    }

    pub(super) fn run(&self) -> Run {
        Run {
            id: self.run,
            kind: RunKind::Sync,
            file: None,
            bytes: self.bytes,
            started_at: self.started_at,
            counts: self.counts,
            warning: Some(self.warnings.join("; ")).filter(|it| !it.is_empty()),
        }
    }

    /// Asks the source what is next.
    pub(super) async fn ask(
        &self,
        conn: &mut Connection,
        place: &Place<'_>,
        line: &mut Line,
    ) -> Result<Found, Halt> {
        let order = &self.order;
        let start = match (&self.way, &order.cursor) {
            (Way::All { after: None, .. }, _) => Start::First(order),
            (
                Way::All {
                    after: Some(key), ..
                },
                _,
            ) => Start::AfterKey(order, key),
            (Way::Changed { since, after: None }, Some(cursor)) => {
                Start::Since(order, cursor, since)
            }
            (
                Way::Changed {
                    after: Some((at, key)),
                    ..
                },
                Some(cursor),
            ) => Start::AfterCursor(order, cursor, at, key),
            (Way::Gone { after, .. }, _) => {
                return self.gone(conn, place, line, (after, false)).await;
            }
            (Way::Aside { after, .. }, _) => {
                return self.gone(conn, place, line, (after, true)).await;
            }
            (Way::Over, _) | (Way::Changed { .. }, None) => return Ok(Found::nothing()),
        };
        let page = line.page(place.object, &start).await;
        let page = page.map_err(Halt::Source)?;
        if self.stands_still(&page) {
            let name = place.object.name();
            let message = format!("`{name}` sends the same row again and again: name another key");
            return Err(refused(message));
        }
        // Where nothing was stored, no row can have taken another one's id.
        let claims = if self.before == Some(0) {
            Claims::default()
        } else {
            claims::look(conn, place, line, order, &page).await?
        };
        Ok(Found::Rows { page, claims })
    }

    /// Whether the page ends where the one before it did.
    fn stands_still(&self, page: &Page) -> bool {
        let Some(last) = page.rows.last() else {
            return false;
        };
        match &self.way {
            Way::All {
                after: Some(key), ..
            } => *key == last.key,
            Way::Changed {
                after: Some((cursor, key)),
                ..
            } => Some(cursor) == last.cursor.as_ref() && *key == last.key,
            _ => false,
        }
    }

    /// Writes down what the source said, and how far that is.
    pub(super) async fn take(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        found: Found,
    ) -> anyhow::Result<()> {
        let stream = place.stream(conn).await?;
        match found {
            Found::Rows { page, claims } => {
                claims::free(conn, &stream, &claims).await?;
                self.take_rows(conn, &stream, (&page, &claims), place.now)
                    .await?;
                self.set_aside(conn, &stream, &page, place.now).await?;
                self.follow(conn, place, page).await?;
            }
            Found::Gone(gone) => {
                if self.deletes() {
                    self.delete(conn, &stream, &gone.places, place.now).await?;
                }
                self.take_gone(conn, place, gone).await?;
            }
        }
        Ok(runs::advance(conn, place.tenant, &self.run()).await?)
    }

    /// Stores the rows of a page, and deletes what they were before their ids changed. Rows that
    /// were kept aside because of those get their turn.
    async fn take_rows(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        (page, claims): (&Page, &Claims),
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let ahead = |it: &&Row| it.reached != it.cursor;
        self.shown += page.rows.len() as u64;
        self.ahead += page.rows.iter().filter(ahead).count() as u64;
        let keys = page.rows.iter().map(|it| claims::key(&self.order, it));
        let keys: Vec<_> = keys.collect();
        let rows = page.rows.iter().zip(&keys);
        let items: Vec<_> = rows
            .filter_map(|(row, key)| Some(upsert(row.body.as_deref()?, key)))
            .collect();
        self.bytes += items.iter().map(|it| it.payload.len() as u64).sum::<u64>();
        self.store(conn, stream, &items, now).await?;
        let before = claims::before(conn, stream, claims, &items).await?;
        if before.is_empty() {
            return Ok(());
        }
        self.delete(conn, stream, &before, now).await?;
        let object = stream.object.key();
        let waiting = stored::list_waiting(conn, stream.tenant, object, &before).await?;
        let items: Vec<_> = waiting
            .iter()
            .map(|(body, key)| upsert(body, key))
            .collect();
        self.store(conn, stream, &items, now).await
    }

    async fn delete(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        ids: &[String],
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        let items: Vec<_> = ids.iter().map(|it| delete(it)).collect();
        self.store(conn, stream, &items, now).await
    }

    /// Notes that the object is done.
    pub(super) async fn finish(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
    ) -> db::Result<()> {
        if 0 < self.ahead {
            self.warnings.push(format!(
                "rows whose cursor is later than the source's own time: {}; the position stops at that \
                 time, and they are read again each time until the source corrects them",
                self.ahead
            ));
        }
        runs::finish(conn, place.tenant, self.key(place), &self.run(), place.now).await
    }

    async fn store(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        items: &[Item<'_>],
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let mut passage = Passage::new(stream.clone(), self.run());
        passage.write(conn, items, now).await?;
        self.counts = passage.run.counts;
        Ok(())
    }

    /// Goes on after the last row of a page.
    async fn follow(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        mut page: Page,
    ) -> db::Result<()> {
        let last = page.rows.pop();
        let mut reached = None;
        match (&mut self.way, last) {
            (Way::All { after, .. }, Some(row)) if !page.last => *after = Some(row.key),
            (Way::All { newest, .. }, _) => {
                let newest = newest.take();
                return self.sweep(conn, place, newest).await;
            }
            (Way::Changed { after, .. }, Some(row)) => {
                reached = row.reached;
                *after = row.cursor.map(|it| (it, row.key));
                if page.last {
                    self.way = Way::Over;
                }
            }
            _ => self.way = Way::Over,
        }
        self.reach(conn, place, reached.as_deref()).await
    }

    /// Notes that nothing is left, and where the next incremental sync begins.
    pub(super) async fn end(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        newest: Option<String>,
    ) -> db::Result<()> {
        self.way = Way::Over;
        self.reach(conn, place, newest.as_deref()).await
    }

    /// Notes where the next incremental sync begins.
    async fn reach(
        &self,
        conn: &mut Connection,
        place: &Place<'_>,
        cursor: Option<&str>,
    ) -> db::Result<()> {
        if let (Some(part), Some(cursor)) = (&self.order.cursor, cursor) {
            let position = Position { part, cursor };
            positions::upsert(conn, place.tenant, self.key(place), &position, place.now).await?;
            runs::set_cursor(conn, place.tenant, self.run, cursor).await?;
        }
        Ok(())
    }
}

impl Found {
    fn nothing() -> Found {
        Found::Gone(Gone {
            last: None,
            places: vec![],
        })
    }
}

pub(super) fn refused(message: String) -> Halt {
    Halt::Source(SourceError::new(
        SourceErrorKind::Schema,
        "/objects",
        message,
    ))
}

fn upsert<'a>(body: &'a str, key: &'a str) -> Item<'a> {
    Item {
        payload: body.as_bytes(),
        line: None,
        occurred_at: None,
        op: Op::Upsert,
        source_id: None,
        source_key: Some(key),
    }
}

fn delete(id: &str) -> Item<'_> {
    Item {
        payload: b"{}",
        line: None,
        occurred_at: None,
        op: Op::Delete,
        source_id: Some(id),
        source_key: None,
    }
}
