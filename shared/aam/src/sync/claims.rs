//! Which row a record is of, where several come into question.
//!
//! A record is stored with the key of its row. Another row with the same id is kept aside, until
//! the record's own is gone from the source or has another id.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mapping::Plan;
use sources::{Batch, KeyLookup, RecordBody, Session, SourceError};

use super::object::{Fetched, FetchedBatch, ObjectSync};
use crate::db::stored_records::{self, Rows};
use crate::db::{self, Connection, raw_records};
use crate::ingest::{Item, Stream};

/// What the rows of a batch change about which row has which record.
#[derive(Debug, Default)]
pub(super) struct RowClaims {
    /// Records that they may have although they are stored from other rows, by these keys.
    released: Vec<(String, String)>,
    /// Keys of the rows whose records are not stored from them.
    unsettled: HashSet<String>,
}

/// The same, as long as the source was not asked about the other rows.
#[derive(Debug, Default)]
pub struct PendingRowClaims {
    claims: RowClaims,
    /// Records whose rows are not in the batch: id, and key of the row.
    elsewhere: Vec<(String, String)>,
    /// What tells the ids of these rows; none where nobody looked.
    plan: Option<Arc<Plan>>,
}

impl ObjectSync {
    /// Whether a row can have taken the id of another one's record: not where nothing was stored
    /// when all rows began to be read.
    pub fn may_move_ids(&self) -> bool {
        self.stored_before != Some(0)
    }

    /// Looks which rows of a batch are not, or no longer, those of the records with their ids.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_claims(
        &self,
        conn: &mut Connection,
        stream: &Stream,
        batch: &Batch,
    ) -> db::Result<PendingRowClaims> {
        // Where nothing was stored, no row can have taken another one's id.
        if self.stored_before == Some(0) {
            return Ok(PendingRowClaims::default());
        }
        let (mut here, mut rows) = (HashMap::new(), Rows::default());
        for record in &batch.records {
            let id = match &record.body {
                RecordBody::Upsert(body) => id(&stream.plan, body),
                RecordBody::Delete | RecordBody::TooLarge { .. } => None,
            };
            if let Some(id) = &id {
                rows.source_ids.push(id.clone());
                rows.keys.push(record.key.clone());
            }
            here.insert(record.key.as_str(), id);
        }
        let object = stream.object.key();
        let unsettled = stored_records::list_unsettled(conn, stream.tenant, object, &rows).await?;
        let mut pending = PendingRowClaims {
            plan: Some(stream.plan.clone()),
            ..PendingRowClaims::default()
        };
        for row in unsettled {
            let index = usize::try_from(row.index).expect("an index of the rows");
            let id = &rows.source_ids[index];
            pending.claims.unsettled.insert(rows.keys[index].clone());
            let Some(holder) = row.holder else { continue };
            match here.get(holder.as_str()) {
                Some(None) => {}
                Some(Some(now)) if now == id => {}
                Some(Some(_)) => pending.claims.released.push((id.clone(), holder)),
                None => pending.elsewhere.push((id.clone(), holder)),
            }
        }
        Ok(pending)
    }

    /// Asks the source about the rows that hold the records, where they are not in the batch.
    ///
    /// # Errors
    /// Where the source does not answer.
    pub async fn resolve_claims(
        &self,
        session: &mut dyn Session,
        batch: Batch,
        pending: PendingRowClaims,
    ) -> Result<Fetched, SourceError> {
        let lookup = session.lookup();
        let finds_deletions = lookup.is_some();
        let claims = match lookup.filter(|_| !pending.elsewhere.is_empty()) {
            Some(lookup) => self.ask_holders(lookup, &batch, pending).await?,
            None => pending.claims,
        };
        Ok(Fetched::Batch(Box::new(FetchedBatch {
            batch,
            claims,
            finds_deletions,
        })))
    }

    async fn ask_holders(
        &self,
        lookup: &mut dyn KeyLookup,
        batch: &Batch,
        pending: PendingRowClaims,
    ) -> Result<RowClaims, SourceError> {
        let PendingRowClaims {
            mut claims,
            elsewhere,
            plan,
        } = pending;
        let now = |body: &str| plan.as_ref().and_then(|it| id(it, body));
        let shape = batch.key_shape.as_str();
        // A key of another shape was that of a row which is read anew, or is gone.
        let (held, gone): (Vec<_>, Vec<_>) = elsewhere
            .into_iter()
            .partition(|it| it.1.starts_with(shape));
        claims.released.extend(gone);
        let keys: Vec<_> = held.iter().map(|it| &it.1[shape.len()..]).collect();
        if keys.is_empty() {
            return Ok(claims);
        }
        let there = lookup.fetch(&self.object, &batch.state, &keys).await?;
        let left = held
            .iter()
            .enumerate()
            .filter(|(index, (id, _))| match there.get(index) {
                None => true,
                Some(None) => false,
                Some(Some(body)) => now(body).is_some_and(|it| it != *id),
            });
        claims.released.extend(left.map(|it| it.1.clone()));
        Ok(claims)
    }
}

/// The records that rows had before their ids changed, whatever became of these rows.
pub(super) async fn list_left(
    conn: &mut Connection,
    stream: &Stream,
    claims: &RowClaims,
    items: &[Item<'_>],
) -> db::Result<Vec<String>> {
    let mut rows = Rows::default();
    let unsettled = |it: &&Item<'_>| {
        it.source_key
            .is_some_and(|it| claims.unsettled.contains(it))
    };
    for item in items.iter().filter(unsettled) {
        let body = std::str::from_utf8(item.payload).unwrap_or_default();
        if let (Some(key), Some(id)) = (item.source_key, id(&stream.plan, body)) {
            rows.source_ids.push(id);
            rows.keys.push(key.to_owned());
        }
    }
    if rows.keys.is_empty() {
        return Ok(vec![]);
    }
    let object = stream.object.key();
    stored_records::list_left(conn, stream.tenant, object, &rows).await
}

/// Lets the rows of the batch have the records that other rows have left.
pub(super) async fn release(
    conn: &mut Connection,
    stream: &Stream,
    claims: &RowClaims,
) -> db::Result<()> {
    if claims.released.is_empty() {
        return Ok(());
    }
    let object = stream.object.key();
    raw_records::release(conn, stream.tenant, object, &claims.released).await
}

fn id(plan: &Plan, body: &str) -> Option<String> {
    plan.identify(body).map(|it| it.0)
}
