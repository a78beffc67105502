//! The job `replay`: stored records, mapped again with the current mapping.
//!
//! Object by object: first the raw records, then those in quarantine. The source is not asked.

use aam::db::Connection;
use aam::db::runs::RunKind;
use aam::db::stored_records::{self, Slice as StoredSlice, Stored};
use aam::ingest::{Counts, Item, Op, Passage, Run, Stream};
use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use mapping::Plan;
use platform::jobs::{Job, JobEnd};
use schema::source::{ObjectKey, ObjectRef};
use schema::{ConnectionId, RunId, TenantId, entity};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Failure, JobKind, Slice, SliceOutcome, TimeLimit, end_run};

pub(crate) const NAME: &str = "replay";

/// Maps stored records again.
pub(crate) struct ReplayRecords;

/// What to replay. Names that are left out mean all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) connection_id: ConnectionId,
    pub(crate) object: Option<String>,
    pub(crate) system: Option<String>,
    pub(crate) entity: Option<String>,
    /// Where to begin with each object.
    pub(crate) from: Phase,
}

/// Which records of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Those that were mapped before.
    Raw,
    /// Those that could not be.
    Quarantine,
}

/// How far a replay is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ReplayProgress {
    /// Of all objects.
    counts: Counts,
    /// The object before the current one; they go by name.
    done: String,
    current: Option<ObjectReplay>,
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
}

impl JobKind for ReplayRecords {
    fn name(&self) -> &'static str {
        NAME
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
        conn: &'a mut Connection,
        tenant: TenantId,
        ended: (&'a Job, &'a JobEnd),
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(end_run(conn, tenant, ended, now))
    }
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
                return Ok(SliceOutcome::Done(serde_json::to_value(progress.counts)?));
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
        let slice = StoredSlice {
            object: ObjectKey {
                connection,
                name: &current.object,
            },
            after: &current.after,
        };
        let records = match current.phase {
            Phase::Raw => stored_records::list_raw(conn, tenant, slice).await?,
            Phase::Quarantine => stored_records::list_quarantined(conn, tenant, slice).await?,
        };
        match (records.last(), current.phase) {
            (Some(last), _) => {
                current.after.clone_from(&last.place);
                let mut passage = current.passage(conn, tenant, connection, now).await?;
                map(conn, &mut passage, (current.phase, &records), now).await?;
                passage.advance(conn).await?;
                self.counts += passage.run.counts - current.counts;
                current.counts = passage.run.counts;
                self.current = Some(current);
            }
            (None, Phase::Raw) => {
                current.phase = Phase::Quarantine;
                current.after.clear();
                self.current = Some(current);
            }
            (None, Phase::Quarantine) => {
                let passage = current.passage(conn, tenant, connection, now).await?;
                passage.finish(conn, now).await?;
                self.done = current.object;
            }
        }
        Ok(())
    }
}

impl ObjectReplay {
    async fn passage(
        &self,
        conn: &mut Connection,
        tenant: TenantId,
        connection: ConnectionId,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Passage> {
        let kind = &self.entity;
        let object = ObjectRef {
            connection,
            name: self.object.clone(),
            system: self.system.clone(),
            entity: entity::find(kind).with_context(|| format!("no entity `{kind}`"))?,
        };
        let stream = Stream::open(conn, tenant, &object, now).await?;
        Ok(Passage::new(stream, self.run()))
    }

    fn run(&self) -> Run {
        Run {
            id: self.run,
            counts: self.counts,
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
    let plan = &passage.stream.plan;
    let items: Vec<_> = readable.iter().map(|it| item(plan, phase, it)).collect();
    passage.write(conn, &items, now).await?;
    // They stay where they are.
    unread.iter().for_each(|_| passage.run.counts.add_unread());
    Ok(())
}

fn item<'a>(plan: &Plan, phase: Phase, record: &'a Stored) -> Item<'a> {
    // A row whose id is another one by this mapping leaves its record, which the next sync deletes.
    let same = |id: String| id == record.place;
    let stays = || plan.identify(&record.payload).is_none_or(|it| same(it.0));
    let source_key = record.source_key.as_deref();
    Item {
        payload: record.payload.as_bytes(),
        line: record.line.and_then(|it| u64::try_from(it).ok()),
        occurred_at: record.version,
        op: Op::Upsert,
        source_id: None,
        source_key: source_key.filter(|_| phase == Phase::Quarantine || stays()),
    }
}
