//! What is stored and no longer at the source, once all that is there has been read.

use aam::db::{self, Connection, quarantine};
use schema::source::ObjectKey;
use serde::{Deserialize, Serialize};
use sources::postgres::{Line, Secured};

use super::Halt;
use super::object::{Current, Found, Way, refused};
use super::place::Place;
use crate::db::stored::{self, Slice};

/// From so many stored records on, the loss of more than half of them needs somebody's word.
const MANY: u64 = 100;

/// How many stored records are gone.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Sweep {
    gone: u64,
    /// Whether all are counted, so that those which are gone are deleted now.
    counted: bool,
}

/// What of a slice of stored records is gone.
pub(super) struct Gone {
    /// The last record of the slice; none where nothing is left after it.
    pub(super) last: Option<String>,
    pub(super) places: Vec<String>,
}

impl Sweep {
    /// Whether so many of what was stored before are gone that a mistake is likelier than so many
    /// deletions; also where nobody has counted that.
    fn is_suspicious(self, before: Option<u64>) -> bool {
        before.is_none_or(|it| MANY <= it && it < self.gone * 2)
    }
}

impl Current {
    /// Whether nothing is deleted without somebody's word for it, and why.
    ///
    /// # Errors
    /// Where more than half of at least [`MANY`] stored records would be deleted.
    pub(super) fn check_deletes(&self, confirmed: bool) -> Result<(), Halt> {
        match &self.way {
            Way::Gone { sweep, .. }
                if sweep.counted && sweep.is_suspicious(self.before) && !confirmed =>
            {
                let of = self.before.map(|it| format!(" of {it}"));
                Err(refused(format!(
                    "the source has {}{} stored records of `{}` no more, and nothing was \
                     deleted: check what its user may read, then sync with \
                     {{\"mode\": \"full\", \"confirm_deletes\": true}}",
                    sweep.gone,
                    of.unwrap_or_default(),
                    self.object
                )))
            }
            _ => Ok(()),
        }
    }

    /// Goes on when all rows were read: to what is gone, unless rows may be hidden.
    pub(super) async fn sweep(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        newest: Option<String>,
    ) -> db::Result<()> {
        if self.hides() {
            self.warnings.push(format!(
                "row-level security decides which rows of `{}` are shown, and the source does not \
                 count as many as it showed, so nothing was deleted: give the user `bypassrls`, or \
                 sync with {{\"mode\": \"full\", \"confirm_deletes\": true}} if all were shown",
                self.object
            ));
            return self.end(conn, place, newest).await;
        }
        self.way = Way::Gone {
            after: String::new(),
            newest,
            sweep: Sweep::default(),
        };
        Ok(())
    }

    /// Whether the source may have rows that it has not shown: only its own statistics, which count
    /// all of them, say that it has not.
    fn hides(&self) -> bool {
        let all = |it: Secured| it.rows == Some(self.shown);
        self.secured.is_some_and(|it| !all(it))
    }

    /// Asks the source which of the next stored records it has no more.
    pub(super) async fn gone(
        &self,
        conn: &mut Connection,
        place: &Place<'_>,
        line: &mut Line,
        (after, quarantined): (&str, bool),
    ) -> Result<Found, Halt> {
        let (shape, slice) = (
            &self.order.shape,
            Slice {
                object: self.key(place),
                after,
            },
        );
        let stored = if quarantined {
            stored::list_quarantined_keys(conn, place.tenant, slice, shape).await?
        } else {
            stored::list_raw_keys(conn, place.tenant, slice, shape).await?
        };
        let keys: Vec<_> = stored.iter().filter_map(|it| it.key.as_deref()).collect();
        let there = match keys.as_slice() {
            [] => Default::default(),
            keys => {
                let keys = format!("[{}]", keys.join(","));
                let there = line.existing(place.object, &self.order, &keys).await;
                there.map_err(Halt::Source)?
            }
        };
        let last = stored::last(&stored);
        let mut asked = 0..;
        let gone = stored.into_iter().filter(|it| {
            let index = it.key.as_ref().and_then(|_| asked.next());
            index.is_none_or(|it| !there.contains(&it))
        });
        Ok(Found::Gone(Gone {
            last,
            places: gone.map(|it| it.place).collect(),
        }))
    }

    /// Deletes what is gone once all is counted, and goes on after the slice: through all records
    /// to count those that are gone, once more to delete them where there are any, and through
    /// what is in quarantine.
    pub(super) async fn take_gone(
        &mut self,
        conn: &mut Connection,
        place: &Place<'_>,
        gone: Gone,
    ) -> db::Result<()> {
        match &mut self.way {
            Way::Gone {
                after,
                newest,
                sweep,
            } => {
                if !sweep.counted {
                    sweep.gone += gone.places.len() as u64;
                }
                match gone.last {
                    Some(last) => *after = last,
                    None if !sweep.counted && 0 < sweep.gone => {
                        sweep.counted = true;
                        after.clear();
                    }
                    None => {
                        self.way = Way::Aside {
                            after: String::new(),
                            newest: newest.take(),
                        }
                    }
                }
            }
            Way::Aside { after, newest } => {
                let object = ObjectKey {
                    connection: place.connection,
                    name: &self.object,
                };
                quarantine::discard(conn, place.tenant, object, &gone.places).await?;
                match gone.last {
                    Some(last) => *after = last,
                    None => {
                        let newest = newest.take();
                        return self.end(conn, place, newest).await;
                    }
                }
            }
            _ => self.way = Way::Over,
        }
        Ok(())
    }

    /// Whether what is gone is deleted by now.
    pub(super) fn deletes(&self) -> bool {
        matches!(&self.way, Way::Gone { sweep, .. } if sweep.counted)
    }
}
