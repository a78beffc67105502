//! One object of a source in a sync: which rows are next, and what becomes of them.

use std::collections::BTreeMap;

use aam::connectors::postgres::{Line, Order, PAGE_BYTES, Page, Start};
use aam::connectors::{Trouble, TroubleClass};
use aam::db::quarantine::{self, NewQuarantined};
use aam::db::runs::{self, FinishedRun, RunKind};
use aam::db::{self, Connection};
use aam::ingest::{self, Counts, Item, Op, Outcome, Run, Stream};
use aam::observe::{Coverage, Observation};
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use schema::RunId;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Halt;
use super::place::Place;
use crate::db::positions::{self, Position};
use crate::db::stored::{self, Keyed, Slice};

/// From so many stored records on, the loss of more than half of them needs somebody's word.
const MANY: u64 = 100;

/// The object in work.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) object: String,
    pub(super) run: RunId,
    started_at: DateTime<Utc>,
    order: Order,
    way: Way,
    bytes: u64,
    counts: Counts,
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
    /// Nothing is left.
    Over,
}

/// How many stored records were looked for, and how many of them are gone.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Sweep {
    stored: u64,
    gone: u64,
    /// Whether all are counted, so that those which are gone are deleted now.
    counted: bool,
}

impl Sweep {
    /// Whether so many are gone that a mistake is likelier than so many deletions.
    fn is_suspicious(self) -> bool {
        MANY <= self.stored && self.stored < self.gone * 2
    }
}

/// What a source said, to be written down.
pub(super) enum Found {
    Rows(Page),
    Gone {
        last: Option<String>,
        looked_for: usize,
        ids: Vec<String>,
    },
}

impl Current {
    pub(super) fn new(object: String, order: Order, way: Way, now: DateTime<Utc>) -> Current {
        Current {
            object,
            run: RunId(uuid::Uuid::now_v7()),
            started_at: now,
            order,
            way,
            bytes: 0,
            counts: Counts::default(),
        }
    }

    /// What became of its rows so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.way, Way::Over)
    }

    pub(super) fn run(&self) -> Run {
        Run {
            id: self.run,
            kind: RunKind::Sync,
            file: None,
            bytes: self.bytes,
            started_at: self.started_at,
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
            (Way::Gone { after, .. }, _) => return self.gone(conn, place, line, after).await,
            (Way::Over, _) | (Way::Changed { .. }, None) => return Ok(Found::nothing()),
        };
        let page = line.page(place.object, &start).await;
        let page = page.map_err(Halt::Source)?;
        if self.stands_still(&page) {
            let name = place.object.name();
            let message = format!("`{name}` sends the same row again and again: name another key");
            return Err(refused(message));
        }
        Ok(Found::Rows(page))
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

    /// Whether nothing is deleted without somebody's word for it, and why.
    ///
    /// # Errors
    /// Where more than half of at least [`MANY`] stored records would be deleted.
    pub(super) fn check_deletes(&self, confirmed: bool) -> Result<(), Halt> {
        match &self.way {
            Way::Gone { sweep, .. } if sweep.counted && sweep.is_suspicious() && !confirmed => {
                Err(refused(format!(
                    "the source has {} of {} stored records of `{}` no more, and nothing was \
                     deleted: check what its user may read, then sync with \
                     {{\"mode\": \"full\", \"confirm_deletes\": true}}",
                    sweep.gone, sweep.stored, self.object
                )))
            }
            _ => Ok(()),
        }
    }

    /// Asks the source which of the next stored records it has no more.
    async fn gone(
        &self,
        conn: &mut Connection,
        place: &Place<'_>,
        line: &mut Line,
        after: &str,
    ) -> Result<Found, Halt> {
        let slice = Slice {
            connection: place.connection,
            object: &self.object,
            after,
        };
        let columns: Vec<_> = self.order.key.iter().map(|it| it.name.clone()).collect();
        let stored = stored::list_keys(conn, place.tenant, slice, &columns).await?;
        let last = stored.last().map(|it| it.source_id.clone());
        // A record that was stored without its key cannot be looked for, so it stays.
        let with_key = |it: Keyed| Some((it.source_id, it.key?));
        let (ids, keys): (Vec<_>, Vec<_>) = stored.into_iter().filter_map(with_key).unzip();
        if keys.is_empty() {
            return Ok(Found::Gone {
                last,
                looked_for: 0,
                ids: vec![],
            });
        }
        let looked_for = keys.len();
        let keys = format!("[{}]", keys.join(","));
        let there = line.existing(place.object, &self.order, &keys).await;
        let there = there.map_err(Halt::Source)?;
        let gone = ids.into_iter().enumerate();
        let gone = gone.filter(|(index, _)| !there.contains(index));
        Ok(Found::Gone {
            last,
            looked_for,
            ids: gone.map(|it| it.1).collect(),
        })
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
            Found::Rows(page) => {
                let bodies: Vec<_> = page
                    .rows
                    .iter()
                    .filter_map(|it| it.body.as_deref())
                    .collect();
                self.bytes += bodies.iter().map(|it| it.len() as u64).sum::<u64>();
                let items: Vec<_> = bodies.into_iter().map(upsert).collect();
                self.store(conn, &stream, &items, place.now).await?;
                self.set_aside(conn, place, &stream, &page).await?;
                self.follow(conn, place, page).await?;
            }
            Found::Gone {
                last,
                looked_for,
                ids,
            } => {
                let items: Vec<_> = ids.iter().map(|it| delete(it)).collect();
                if self.deletes() {
                    self.store(conn, &stream, &items, place.now).await?;
                }
                self.follow_sweep(conn, place, last, (looked_for, ids.len()))
                    .await?;
            }
        }
        Ok(runs::advance(conn, place.tenant, &self.run(), &self.counts).await?)
    }

    /// Whether what is gone is deleted by now.
    fn deletes(&self) -> bool {
        matches!(&self.way, Way::Gone { sweep, .. } if sweep.counted)
    }

    /// Goes on after a slice of stored records: through all of them to count those that are gone,
    /// and once more to delete them where there are any.
    async fn follow_sweep(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        last: Option<String>,
        (looked_for, gone): (usize, usize),
    ) -> db::Result<()> {
        let Way::Gone {
            after,
            newest,
            sweep,
        } = &mut self.way
        else {
            self.way = Way::Over;
            return Ok(());
        };
        if !sweep.counted {
            sweep.stored += looked_for as u64;
            sweep.gone += gone as u64;
        }
        match last {
            Some(last) => *after = last,
            None if !sweep.counted && 0 < sweep.gone => {
                sweep.counted = true;
                after.clear();
            }
            None => {
                let newest = newest.take();
                self.reach(conn, place, newest.as_deref()).await?;
                self.way = Way::Over;
            }
        }
        Ok(())
    }

    /// Notes that the object is done.
    pub(super) async fn finish(&self, conn: &mut Connection, place: &Place<'_>) -> db::Result<()> {
        let finished = FinishedRun {
            id: self.run,
            connection: place.connection,
            object: &self.object,
            kind: RunKind::Sync,
            file: None,
            bytes: self.bytes,
            started_at: self.started_at,
            counts: self.counts,
        };
        runs::finish(conn, place.tenant, &finished, place.now).await
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
        // The source declares its structure; its records teach nothing more.
        let mut observation = Observation::new(Coverage::Header);
        let run = self.run();
        let outcomes = ingest::batch(conn, stream, &run, items, &mut observation, now).await?;
        outcomes.iter().for_each(|it| self.counts.add(it));
        Ok(())
    }

    /// Keeps the keys of rows that were too large to be brought.
    async fn set_aside(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        stream: &Stream,
        page: &Page,
    ) -> db::Result<()> {
        let reason = format!("the row has more than {} MiB", PAGE_BYTES >> 20);
        let names = || self.order.key.iter().map(|it| it.name.as_str());
        let mut kept: Vec<_> = page
            .rows
            .iter()
            .filter(|it| it.body.is_none())
            .map(|it| names().zip(&it.key).collect::<BTreeMap<_, _>>())
            .map(|key| json!(key).to_string())
            .map(|key| {
                (
                    digest(&SHA256, key.as_bytes()),
                    stream.plan.source_id(&key).ok(),
                    key,
                )
            })
            .collect();
        kept.sort_by(|one, other| one.0.as_ref().cmp(other.0.as_ref()));
        if kept.is_empty() {
            return Ok(());
        }
        kept.iter().for_each(|_| {
            self.counts.add(&Outcome::Quarantined {
                field: None,
                reason: String::new(),
            });
        });
        let rows: Vec<_> = kept
            .iter()
            .map(|(hash, id, key)| NewQuarantined {
                content_hash: hash.as_ref(),
                line: None,
                field: None,
                reason: &reason,
                payload: key,
                source_id: id.as_deref(),
                version: None,
            })
            .collect();
        let object = (place.connection, self.object.as_str(), self.run);
        quarantine::upsert(conn, place.tenant, object, &rows, place.now).await
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
            (Way::All { newest, .. }, None) => {
                self.way = Way::Gone {
                    after: String::new(),
                    newest: newest.take(),
                    sweep: Sweep::default(),
                };
            }
            (Way::All { newest, .. }, Some(_)) if page.last => {
                self.way = Way::Gone {
                    after: String::new(),
                    newest: newest.take(),
                    sweep: Sweep::default(),
                };
            }
            (Way::All { after, .. }, Some(row)) => *after = Some(row.key),
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

    /// Notes where the next incremental sync begins.
    async fn reach(
        &self,
        conn: &mut Connection,
        place: &Place<'_>,
        cursor: Option<&str>,
    ) -> db::Result<()> {
        if let (Some(part), Some(cursor)) = (&self.order.cursor, cursor) {
            let object = (place.connection, self.object.as_str());
            let position = Position { part, cursor };
            positions::upsert(conn, place.tenant, object, &position, place.now).await?;
            runs::set_cursor(conn, place.tenant, self.run, cursor).await?;
        }
        Ok(())
    }
}

impl Found {
    fn nothing() -> Found {
        Found::Gone {
            last: None,
            looked_for: 0,
            ids: vec![],
        }
    }
}

fn refused(message: String) -> Halt {
    Halt::Source(Trouble::new(TroubleClass::Schema, "/objects", message))
}

fn upsert(body: &str) -> Item<'_> {
    Item {
        payload: body.as_bytes(),
        line: None,
        occurred_at: None,
        op: Op::Upsert,
        source_id: None,
    }
}

fn delete(id: &str) -> Item<'_> {
    Item {
        payload: b"{}",
        line: None,
        occurred_at: None,
        op: Op::Delete,
        source_id: Some(id),
    }
}
