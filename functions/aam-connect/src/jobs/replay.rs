//! The job `replay`: stored records, mapped again with the current mapping.
//!
//! Object by object: first the raw records, then those in quarantine. The source is not asked.

use aam::db::Connection;
use aam::db::quarantine_groups::{self, GroupKey};
use aam::db::runs::RunKind;
use aam::db::stored_records::{self, Slice as StoredSlice, Stored};
use aam::db::{canonical, custom_entities, raw_records};
use aam::ingest::{Counts, Item, Op, Outcome, Passage, Run, Stream};
use aam::quarantine::GroupFilter;
use aam::replay::{KIND, Phase, Replay};
use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use platform::audit::Signer;
use platform::jobs::{Job, JobEnd};
use schema::run::FirstRejection;
use schema::source::{ObjectKey, ObjectRef};
use schema::{ConnectionId, RunId, TenantId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Failure, JobKind, Rejected, Slice, SliceOutcome, TimeLimit, end_by_counts, end_run};
use crate::db::connections::source;

/// Maps stored records again.
pub(crate) struct ReplayRecords;

/// How far a replay is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ReplayProgress {
    /// Of all objects.
    counts: Counts,
    /// The object before the current one; they go by name.
    done: String,
    current: Option<ObjectReplay>,
    #[serde(default)]
    rejected: Option<Rejected>,
}

/// The object in work.
#[derive(Debug, Serialize, Deserialize)]
struct ObjectReplay {
    object: String,
    system: String,
    entity: String,
    run: RunId,
    started_at: DateTime<Utc>,
    phase: Phase,
    /// The last record that was read.
    after: String,
    counts: Counts,
    #[serde(default)]
    first_rejection: Option<FirstRejection>,
    /// The group in work, where only some are.
    #[serde(default)]
    group: Option<Uuid>,
}

impl JobKind for ReplayRecords {
    fn name(&self) -> &'static str {
        KIND
    }

    fn time_limit(&self) -> TimeLimit {
        TimeLimit {
            hours: 24,
            advice: "replay one object at a time, with {\"object\": \"…\"}",
        }
    }

    fn run_slice<'a>(
        &'a self,
        slice: &'a mut Slice<'_>,
    ) -> BoxFuture<'a, Result<SliceOutcome, Failure>> {
        Box::pin(run_slice(slice))
    }

    fn end<'a>(
        &'a self,
        (conn, _): (&'a mut Connection, &'a Signer),
        tenant: TenantId,
        ended: (&'a Job, &'a JobEnd),
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(end(conn, tenant, ended, now))
    }
}

/// Ends the run, and says of the connection what its objects' latest runs say.
async fn end(
    conn: &mut Connection,
    tenant: TenantId,
    ended: (&Job, &JobEnd),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    end_run(conn, tenant, ended, now).await?;
    // A job that cannot be read has replayed nothing.
    if let Ok(replay) = Replay::deserialize(&ended.0.payload) {
        source::settle_status(conn, tenant, replay.connection_id).await?;
    }
    Ok(())
}

async fn run_slice(slice: &mut Slice<'_>) -> Result<SliceOutcome, Failure> {
    let work = slice.work;
    let (tenant, now) = (work.tenant(), work.now);
    let replay: Replay = work.payload().context("the payload of a replay")?;
    let mut progress = match &work.job.progress {
        Some(progress) => {
            ReplayProgress::deserialize(progress).context("the progress of a replay")?
        }
        None => ReplayProgress::default(),
    };
    let mut tx = work.begin().await?;
    work.lock_connection(&mut tx, replay.connection_id).await?;
    match progress.current.take() {
        Some(current) => {
            progress
                .go_on(&mut tx, tenant, &replay, current, now)
                .await?;
        }
        None => {
            if !progress.begin(&mut tx, tenant, &replay, now).await? {
                return end_by_counts(progress.counts, progress.rejected.as_ref());
            }
        }
    }
    work.commit(tx, &progress).await
}

impl ReplayProgress {
    /// Takes up the next object, if there is one more.
    async fn begin(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        replay: &Replay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<bool> {
        let wanted = (
            replay.object.as_deref(),
            replay.system.as_deref(),
            replay.entity.as_deref(),
        );
        let connection = replay.connection_id;
        let next =
            stored_records::find_object(conn, tenant, connection, &self.done, wanted).await?;
        let Some(next) = next else {
            return Ok(false);
        };
        let current = ObjectReplay {
            object: next.object,
            system: next.system,
            entity: next.entity,
            run: RunId(Uuid::now_v7()),
            started_at: now,
            phase: replay.from,
            after: String::new(),
            counts: Counts::default(),
            first_rejection: None,
            group: None,
        };
        let passage = current.passage(conn, tenant, connection, now).await?;
        passage.begin(conn).await?;
        self.current = Some(current);
        Ok(true)
    }

    /// Reads the next records of the current object, or ends it where there are none.
    async fn go_on(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        replay: &Replay,
        mut current: ObjectReplay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let connection = replay.connection_id;
        if current.phase == Phase::Reset {
            return self.reset(conn, tenant, connection, current).await;
        }
        let mut records = current.list(conn, tenant, replay).await?;
        let Some(last) = records.last() else {
            return self.end_phase(conn, tenant, replay, current, now).await;
        };
        current.after.clone_from(&last.place);
        // What this replay itself has put there was mapped a moment ago.
        records.retain(|it| it.run != current.run);
        let mut passage = current.passage(conn, tenant, connection, now).await?;
        map(conn, &mut passage, (current.phase, &records), now).await?;
        passage.advance(conn).await?;
        self.counts += passage.run.counts - current.counts;
        current.counts = passage.run.counts;
        current.first_rejection = passage.run.first_rejection;
        self.current = Some(current);
        Ok(())
    }

    /// Takes the next records out of the views, and gives them the ids that they have unmapped.
    async fn reset(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        connection: ConnectionId,
        mut current: ObjectReplay,
    ) -> anyhow::Result<()> {
        let object = current.key(connection);
        let after = current.after.as_str();
        let moved = stored_records::reset(conn, tenant, StoredSlice { object, after }).await?;
        let ids: Vec<_> = moved.iter().map(String::as_str).collect();
        canonical::delete_of_any_entity(conn, tenant, object, &ids).await?;
        match moved.last() {
            Some(last) => current.after.clone_from(last),
            None => {
                current.phase = Phase::Raw;
                current.after.clear();
            }
        }
        self.current = Some(current);
        Ok(())
    }

    /// What comes where the phase has no more records.
    async fn end_phase(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        replay: &Replay,
        mut current: ObjectReplay,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let next = match current.phase {
            Phase::Reset => Some(Phase::Raw),
            Phase::Raw => Some(Phase::Unkeyed),
            Phase::Unkeyed => Some(Phase::Quarantine),
            Phase::Quarantine => None,
        };
        if let Some(next) = next {
            current.phase = next;
            current.after.clear();
            self.current = Some(current);
            return Ok(());
        }
        if current.next_group(conn, tenant, replay).await? {
            self.current = Some(current);
            return Ok(());
        }
        let connection = replay.connection_id;
        let passage = current.passage(conn, tenant, connection, now).await?;
        passage.finish(conn, now).await?;
        if let (None, Some(first)) = (&self.rejected, current.first_rejection) {
            let object = current.object.clone();
            self.rejected = Some(Rejected { object, first });
        }
        self.done = current.object;
        Ok(())
    }
}

impl ObjectReplay {
    fn key(&self, connection: ConnectionId) -> ObjectKey<'_> {
        ObjectKey {
            connection,
            name: &self.object,
        }
    }

    /// The next records. Where only some groups are replayed: of the group in work.
    async fn list(
        &self,
        conn: &mut Connection,
        tenant: TenantId,
        replay: &Replay,
    ) -> anyhow::Result<Vec<Stored>> {
        let object = self.key(replay.connection_id);
        let after = self.after.as_str();
        let slice = StoredSlice { object, after };
        Ok(match (self.phase, self.group) {
            (Phase::Reset | Phase::Raw | Phase::Unkeyed, _) => {
                let by_content = self.phase == Phase::Unkeyed;
                stored_records::list_raw(conn, tenant, slice, Some(by_content)).await?
            }
            (Phase::Quarantine, Some(group)) => {
                let of = GroupKey { object, group };
                quarantine_groups::list_records(conn, tenant, of, after).await?
            }
            (Phase::Quarantine, None) if replay.names_groups() => vec![],
            (Phase::Quarantine, None) => {
                stored_records::list_quarantined(conn, tenant, slice).await?
            }
        })
    }

    /// Takes up the next group that is wanted, where only some are. Says whether there is one.
    async fn next_group(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        replay: &Replay,
    ) -> anyhow::Result<bool> {
        if !replay.names_groups() {
            return Ok(false);
        }
        let wanted = GroupFilter {
            object: Some(self.object.clone()),
            field: replay.field.clone(),
            group: replay.group,
        };
        let mut group = self.group.unwrap_or_default();
        loop {
            let object = self.key(replay.connection_id);
            let after = GroupKey { object, group };
            let next = quarantine_groups::find_next(conn, tenant, after).await?;
            let Some(next) = next.filter(|it| it.object == self.object) else {
                return Ok(false);
            };
            group = next.group_id;
            if wanted.fits(&next) {
                self.group = Some(group);
                self.after.clear();
                return Ok(true);
            }
        }
    }

    async fn passage(
        &self,
        conn: &mut Connection,
        tenant: TenantId,
        connection: ConnectionId,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Passage> {
        let kind = &self.entity;
        let entities = custom_entities::entities(conn, tenant).await?;
        let object = ObjectRef {
            connection,
            name: self.object.clone(),
            system: self.system.clone(),
            entity: entities
                .find_or_unmapped(kind)
                .with_context(|| format!("no entity `{kind}`"))?,
        };
        let stream = Stream::open(conn, tenant, &object, now).await?;
        Ok(Passage::new(stream, self.run()))
    }

    fn run(&self) -> Run {
        Run {
            id: self.run,
            counts: self.counts,
            first_rejection: self.first_rejection.clone(),
            ..Run::new(RunKind::Replay, self.started_at)
        }
    }
}

async fn map(
    conn: &mut Connection,
    passage: &mut Passage,
    (phase, records): (Phase, &[Stored]),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (readable, unread): (Vec<_>, Vec<_>) = records.iter().partition(|it| it.readable);
    let items: Vec<_> = readable.iter().map(|it| item(it)).collect();
    let outcomes = passage.write(conn, &items, now).await?;
    if phase != Phase::Quarantine {
        delete_moved(conn, passage, &readable, &outcomes).await?;
        hide_unfit(conn, passage, &readable, &outcomes).await?;
    }
    // They stay where they are.
    unread.iter().for_each(|_| passage.run.counts.add_unread());
    Ok(())
}

fn item(record: &Stored) -> Item<'_> {
    Item {
        payload: record.payload.as_bytes(),
        line: record.line.and_then(|it| u64::try_from(it).ok()),
        occurred_at: record.occurred_at,
        origin: Some(record.origin),
        op: match record.deleted {
            true => Op::Delete,
            false => Op::Upsert,
        },
        source_id: None,
        source_key: record.source_key.as_deref(),
    }
}

/// What does not fit the mapping in force is in quarantine, and no longer in the views. It stays
/// stored.
async fn hide_unfit<'r>(
    conn: &mut Connection,
    passage: &Passage,
    records: &[&'r Stored],
    outcomes: &[Outcome],
) -> anyhow::Result<()> {
    let unfit = records.iter().zip(outcomes);
    let unfit = unfit.filter(|it| matches!(it.1, Outcome::Quarantined { .. }));
    let of_record = |it: &(&&'r Stored, &Outcome)| (&*it.0.place, &*it.0.content_hash);
    let unfit: (Vec<_>, Vec<_>) = unfit.map(|it| of_record(&it)).unzip();
    if unfit.0.is_empty() {
        return Ok(());
    }
    let stream = &passage.stream;
    let object = stream.object.key();
    let hidden = raw_records::set_unfit(conn, stream.tenant, object, (&unfit.0, &unfit.1)).await?;
    let hidden: Vec<_> = hidden.iter().map(String::as_str).collect();
    canonical::delete_of_any_entity(conn, stream.tenant, object, &hidden).await?;
    Ok(())
}

/// A record that has another id by this mapping is stored under it by now, or a newer version is.
async fn delete_moved(
    conn: &mut Connection,
    passage: &Passage,
    records: &[&Stored],
    outcomes: &[Outcome],
) -> anyhow::Result<()> {
    let stream = &passage.stream;
    let taken = records.iter().zip(outcomes);
    let taken = taken.filter(|it| !matches!(it.1, Outcome::Quarantined { .. }));
    // It was taken, so its key tells its id, and the rest need not be read again.
    let ids = taken.filter_map(|(record, _)| {
        let id = stream.plan.guess_source_id(&record.payload)?;
        (id != record.place).then_some((record.place.as_str(), id))
    });
    let (places, ids): (Vec<_>, Vec<_>) = ids.unzip();
    if places.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let object = stream.object.key();
    canonical::delete_of_any_entity(conn, stream.tenant, object, &places).await?;
    raw_records::delete_moved(conn, stream.tenant, object, (&places, &ids)).await?;
    Ok(())
}
