//! Which row a record is of, where several come into question.
//!
//! A record is stored with the key of its row. Another row with the same id is kept aside, until
//! the record's own is gone from the source or has another id.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mapping::Plan;
use sources::{Batch, KeyLookup, RecordBody, Session, SourceError, SourceRecord};

use super::object::{Fetched, FetchedBatch, ObjectSync};
use crate::db::raw_records::{self, Known};
use crate::db::stored_records::{self, Rows};
use crate::db::{self, Connection};
use crate::ingest::{Item, Stream, content_hash, guess_id};

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

/// A batch that can be written once the source was asked about other rows.
#[derive(Debug)]
pub struct ContestedBatch {
    batch: Batch,
    pending: PendingRowClaims,
}

impl PendingRowClaims {
    /// The batch, ready to be written, unless the source is to be asked about other rows, which it
    /// can be where it finds deletions.
    ///
    /// # Errors
    /// Where it is: for [`ObjectSync::resolve_claims`].
    pub fn settle(
        self,
        batch: Batch,
        finds_deletions: bool,
    ) -> Result<Fetched, Box<ContestedBatch>> {
        if finds_deletions && !self.elsewhere.is_empty() {
            let pending = self;
            return Err(Box::new(ContestedBatch { batch, pending }));
        }
        Ok(fetched(batch, self.claims, finds_deletions))
    }
}

fn fetched(batch: Batch, claims: RowClaims, finds_deletions: bool) -> Fetched {
    Fetched::Batch(Box::new(FetchedBatch {
        batch,
        claims,
        finds_deletions,
    }))
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
        let stored = StoredRows::find(conn, stream, batch).await?;
        let mut pending = PendingRowClaims {
            plan: Some(stream.plan.clone()),
            ..PendingRowClaims::default()
        };
        let ids = batch.records.iter().zip(&stored.ids);
        let here: HashMap<_, _> = ids.map(|(it, id)| (it.key.as_str(), id)).collect();
        for (record, id) in batch.records.iter().zip(&stored.ids) {
            let Some(id) = id else { continue };
            let known = stored.known.get(id);
            if known.is_some_and(|it| is_settled(it, &record.key)) {
                continue;
            }
            pending.claims.unsettled.insert(record.key.clone());
            let holder = known.filter(|it| !it.deleted);
            let Some(holder) = holder.and_then(|it| it.source_key.clone()) else {
                continue;
            };
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
        contested: ContestedBatch,
    ) -> Result<Fetched, SourceError> {
        let ContestedBatch { batch, pending } = contested;
        let lookup = session.lookup();
        let finds_deletions = lookup.is_some();
        let claims = match lookup {
            Some(lookup) => self.ask_holders(lookup, &batch, pending).await?,
            None => pending.claims,
        };
        Ok(fetched(batch, claims, finds_deletions))
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
        let now = |body: &str| plan.as_ref().and_then(|it| read_id(it, body));
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

/// The records of the rows of a batch, and what is stored of them.
struct StoredRows {
    /// The id of each; none where there is none, or it cannot be read.
    ids: Vec<Option<String>>,
    known: HashMap<String, Known>,
}

impl StoredRows {
    async fn find(conn: &mut Connection, stream: &Stream, batch: &Batch) -> db::Result<StoredRows> {
        let bodies: Vec<_> = batch.records.iter().map(upserted).collect();
        let guess = |it: &Option<&str>| guess_id(&stream.plan, (*it)?);
        let mut ids: Vec<_> = bodies.iter().map(guess).collect();
        let guessed: HashSet<_> = ids.iter().flatten().cloned().collect();
        let mut known = list_known(conn, stream, guessed.iter()).await?;
        // The id of what is stored to the letter is no guess: see `ingest::recognise`.
        for (id, (record, body)) in ids.iter_mut().zip(batch.records.iter().zip(bodies)) {
            let same = |it: &Known| {
                is_settled(it, &record.key)
                    && it.mapping_version == stream.mapping_version
                    && body.is_some_and(|body| it.content_hash == content_hash(body.as_bytes()))
            };
            if !id.as_ref().and_then(|it| known.get(it)).is_some_and(same) {
                *id = body.and_then(|it| read_id(&stream.plan, it));
            }
        }
        let missed = ids.iter().flatten().filter(|it| !guessed.contains(*it));
        known.extend(list_known(conn, stream, missed).await?);
        Ok(StoredRows { ids, known })
    }
}

async fn list_known<'a>(
    conn: &mut Connection,
    stream: &Stream,
    ids: impl Iterator<Item = &'a String>,
) -> db::Result<HashMap<String, Known>> {
    let ids: Vec<_> = ids.map(String::as_str).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let known = raw_records::list_known(conn, stream.tenant, stream.object.key(), &ids).await?;
    let by_id = known.into_iter().map(|it| (it.source_id.clone(), it));
    Ok(by_id.collect())
}

/// Whether a record is stored from the row with that key.
fn is_settled(known: &Known, key: &str) -> bool {
    !known.deleted && known.source_key.as_deref() == Some(key)
}

fn upserted(record: &SourceRecord) -> Option<&str> {
    match &record.body {
        RecordBody::Upsert(body) => Some(body),
        RecordBody::Delete | RecordBody::TooLarge { .. } => None,
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
        if let (Some(key), Some(id)) = (item.source_key, read_id(&stream.plan, body)) {
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

fn read_id(plan: &Plan, body: &str) -> Option<String> {
    plan.identify(body).map(|it| it.0)
}
