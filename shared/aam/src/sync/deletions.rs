//! What is stored and no longer at the source.
//!
//! A source with a feed of deletes tells it by itself; another one is asked for the keys of what is
//! stored, once all that is there has been read.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sources::{Batch, RecordBody, Session, SourceError};

use super::object::{Fetched, ObjectSync, refused};
use super::phase::{Phase, PhaseEvent};
use crate::db::stored_records::{self, Keyed, Slice};
use crate::db::{self, Connection, quarantine};
use crate::ingest::Stream;

/// From so many stored records on, the loss of more than half of them needs somebody's word.
const MANY: u64 = 100;

/// Stored records that may be gone from the source.
#[derive(Debug, Default)]
pub struct Candidates(Vec<Keyed>);

/// What of them is gone.
#[derive(Debug)]
pub struct Gone {
    /// The last record of the slice; none where nothing is left after it.
    last: Option<String>,
    places: Vec<String>,
}

impl ObjectSync {
    /// Looks whether so many records are gone that nothing is deleted without somebody's word.
    ///
    /// # Errors
    /// Where more than half of at least 100 stored records would be deleted; also where
    /// nobody has counted what was stored.
    pub fn check_deletions(&self) -> Result<(), SourceError> {
        let Phase::Deletions {
            gone,
            counted: true,
            ..
        } = self.phase
        else {
            return Ok(());
        };
        let before = self.stored_before;
        let suspicious = before.is_none_or(|it| MANY <= it && it < gone * 2);
        if !suspicious || self.confirm_deletes {
            return Ok(());
        }
        let of = before.map(|it| format!(" of {it}")).unwrap_or_default();
        Err(refused(format!(
            "the source has {gone}{of} stored records of `{}` no more, and nothing was deleted: \
             check what its user may read, then sync with {{\"mode\": \"full\", \
             \"confirm_deletes\": true}}",
            self.object
        )))
    }

    /// The next stored records, or what is in quarantine, that may be gone from the source.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_candidates(
        &self,
        conn: &mut Connection,
        stream: &Stream,
    ) -> db::Result<Candidates> {
        let shape = self.last_read.as_ref().map_or("", |it| it.1.as_str());
        let slice = |after| Slice {
            object: stream.object.key(),
            after,
        };
        let listed = match &self.phase {
            Phase::Deletions { after, .. } => {
                stored_records::list_raw_keys(conn, stream.tenant, slice(after), shape).await?
            }
            Phase::QuarantineDeletions { after } => {
                stored_records::list_quarantined_keys(conn, stream.tenant, slice(after), shape)
                    .await?
            }
            _ => vec![],
        };
        Ok(Candidates(listed))
    }

    /// Asks the source which of them it has no more.
    ///
    /// # Errors
    /// Where the source does not answer.
    pub async fn find_gone(
        &self,
        session: &mut dyn Session,
        candidates: Candidates,
    ) -> Result<Fetched, SourceError> {
        let Candidates(stored) = candidates;
        let last = stored_records::last(&stored);
        let keys: Vec<_> = stored.iter().filter_map(|it| it.key.as_deref()).collect();
        let there = match (&self.last_read, session.lookup()) {
            (Some((state, _)), Some(lookup)) if !keys.is_empty() => {
                lookup.list_existing(&self.object, state, &keys).await?
            }
            _ => Default::default(),
        };
        let mut asked = 0..;
        let gone = stored.into_iter().filter(|it| {
            let index = it.key.as_ref().and_then(|_| asked.next());
            index.is_none_or(|it| !there.contains(&it))
        });
        Ok(Fetched::Gone(Gone {
            places: gone.map(|it| it.place).collect(),
            last,
        }))
    }

    /// Deletes what is gone once all is counted, and goes on after the slice.
    pub(super) async fn write_gone(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        gone: Gone,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        match self.phase {
            Phase::Deletions { counted: true, .. } => {
                self.delete(conn, stream, &gone.places, now).await?;
            }
            Phase::QuarantineDeletions { .. } => {
                let object = stream.object.key();
                quarantine::discard(conn, stream.tenant, object, &gone.places).await?;
            }
            _ => {}
        }
        let step = PhaseEvent::Slice {
            last: gone.last,
            gone: gone.places.len() as u64,
        };
        self.phase = std::mem::replace(&mut self.phase, Phase::Done).next(step);
        self.advance(conn, stream, now).await
    }

    /// Deletes the records that the source itself says are gone, and what of them is in
    /// quarantine.
    pub(super) async fn delete_records(
        &mut self,
        conn: &mut Connection,
        stream: &Stream,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> db::Result<()> {
        // One that was deleted and made again is there.
        let last: HashMap<_, _> = batch.records.iter().map(|it| (&it.key, &it.body)).collect();
        let deleted = last.iter().filter(|it| matches!(it.1, RecordBody::Delete));
        let keys: Vec<_> = deleted.map(|it| it.0.as_str()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let object = stream.object.key();
        let ids = stored_records::list_ids(conn, stream.tenant, object, &keys).await?;
        quarantine::delete_by_keys(conn, stream.tenant, object, &keys).await?;
        self.delete(conn, stream, &ids, now).await
    }
}
