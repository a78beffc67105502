//! The job `discard`: quarantined records, taken out for good, slice by slice.

use aam::db::Connection;
use aam::db::quarantine_groups::{self, GroupKey};
use aam::quarantine::GroupFilter;
use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use platform::audit::{self, Entry, Signer};
use platform::jobs::{Job, JobEnd};
use schema::source::ObjectKey;
use schema::{ConnectionId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Failure, JobKind, Slice, SliceOutcome, TimeLimit};
use crate::connection::audit_object;
use crate::db::connections::source;

pub(crate) const NAME: &str = "discard";

/// So many records are taken out in one transaction.
const ROWS: i64 = 1000;
/// So many groups that do not fit are passed over in one.
const GROUPS: usize = 100;

/// Takes quarantined records out.
pub(crate) struct DiscardRecords;

/// What to take out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Discard {
    pub(crate) connection_id: ConnectionId,
    pub(crate) filter: GroupFilter,
    /// Why, in the words of whoever asked for it.
    pub(crate) reason: String,
    /// What comes after this stays.
    pub(crate) requested_at: DateTime<Utc>,
}

/// How far it is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct DiscardProgress {
    /// How many records were taken out.
    pub(crate) discarded: i64,
    /// The group in work, or the last one that was; groups go by object and id.
    place: Option<(String, Uuid)>,
    /// Whether it is in work, and after which record it goes on.
    after: Option<String>,
}

impl JobKind for DiscardRecords {
    fn name(&self) -> &'static str {
        NAME
    }

    fn time_limit(&self) -> TimeLimit {
        TimeLimit {
            hours: 24,
            advice: "discard one object at a time, with {\"object\": \"…\"}",
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
        audited: (&'a mut Connection, &'a Signer),
        tenant: TenantId,
        ended: (&'a Job, &'a JobEnd),
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(end(audited, tenant, ended.0, now))
    }
}

async fn run_slice(slice: &mut Slice<'_>) -> Result<SliceOutcome, Failure> {
    let work = slice.work;
    let discard: Discard = work.payload().context("the payload of a discard")?;
    let mut progress = DiscardProgress::of(work.job)?;
    let mut tx = work.begin().await?;
    work.lock_connection(&mut tx, discard.connection_id).await?;
    if !progress.step(&mut tx, work.tenant(), &discard).await? {
        let result = json!({ "discarded": progress.discarded });
        return Ok(SliceOutcome::Done(result));
    }
    work.commit(tx, &progress).await
}

/// However it ended: what was taken out is noted, and the connection is judged by what is left.
async fn end(
    (conn, signer): (&mut Connection, &Signer),
    tenant: TenantId,
    job: &Job,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    // A job that cannot be read has taken nothing out.
    let Ok(discard) = Discard::deserialize(&job.payload) else {
        return Ok(());
    };
    source::settle_status(conn, tenant, discard.connection_id).await?;
    let progress = DiscardProgress::of(job)?;
    let what = ("quarantine.discard", audit_object(discard.connection_id));
    let entry = Entry::of(signer.clone(), "system".to_owned(), what, now)
        .after(discard.audited(progress.discarded));
    audit::append(conn, tenant, &entry).await?;
    Ok(())
}

impl Discard {
    /// What the audit log says of it.
    pub(crate) fn audited(&self, discarded: i64) -> serde_json::Value {
        json!({ "discarded": discarded, "filter": self.filter, "reason": self.reason })
    }
}

impl DiscardProgress {
    fn of(job: &Job) -> anyhow::Result<DiscardProgress> {
        let progress = job.progress.as_ref().map(DiscardProgress::deserialize);
        Ok(progress
            .transpose()
            .context("the progress of a discard")?
            .unwrap_or_default())
    }

    /// Takes the next records out, or takes up the next group. Says whether there is more to do.
    pub(crate) async fn step(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        discard: &Discard,
    ) -> aam::db::Result<bool> {
        if let (Some((name, group)), Some(after)) = (&self.place, &self.after) {
            let object = ObjectKey {
                connection: discard.connection_id,
                name,
            };
            let of = GroupKey {
                object,
                group: *group,
            };
            let seen = (after.as_str(), discard.requested_at);
            let slice = quarantine_groups::discard(conn, tenant, of, seen, ROWS).await?;
            self.discarded += slice.discarded;
            self.after = slice.last;
            return Ok(true);
        }
        self.next_group(conn, tenant, discard).await
    }

    async fn next_group(
        &mut self,
        conn: &mut Connection,
        tenant: TenantId,
        discard: &Discard,
    ) -> aam::db::Result<bool> {
        let wanted = discard.filter.object.as_deref();
        for _ in 0..GROUPS {
            let (name, group) = match &self.place {
                Some((name, group)) => (name.as_str(), *group),
                None => (wanted.unwrap_or_default(), Uuid::nil()),
            };
            let object = ObjectKey {
                connection: discard.connection_id,
                name,
            };
            let after = GroupKey { object, group };
            let Some(next) = quarantine_groups::find_next(conn, tenant, after).await? else {
                return Ok(false);
            };
            if wanted.is_some_and(|it| it != next.object) {
                return Ok(false);
            }
            let fits = discard.filter.fits(&next);
            self.place = Some((next.object, next.group_id));
            if fits {
                self.after = Some(String::new());
                break;
            }
        }
        Ok(true)
    }
}
