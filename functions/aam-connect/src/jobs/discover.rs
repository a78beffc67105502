//! The job `discover`: the structure of a source's streams, one after the other.

use aam::ingest::Stream;
use anyhow::Context;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use platform::audit::Signer;
use platform::db;
use platform::jobs::{Job, JobEnd};
use schema::{DriftId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sources::StreamDescription;

use super::object::{columns, object_ref, record_schema};
use super::{Failure, JobKind, Slice, SliceOutcome, SourceJob, TimeLimit, end_source_job};
use crate::connection::source::Source;

pub(crate) const NAME: &str = "discover";

/// Asks a source for its structure.
pub(crate) struct Discover;

/// How far a discovery is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct DiscoverProgress {
    /// How many streams are done.
    done: usize,
    /// The drifts that it was the first to see.
    drifts: Vec<DriftId>,
    /// What went wrong with single streams; the others go on.
    #[serde(alias = "troubles")]
    errors: Vec<String>,
}

impl JobKind for Discover {
    fn name(&self) -> &'static str {
        NAME
    }

    fn time_limit(&self) -> TimeLimit {
        TimeLimit {
            hours: 2,
            advice: "look at fewer tables at a time, with {\"objects\": [\"…\"]}",
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
        (conn, _): (&'a mut db::Connection, &'a Signer),
        tenant: TenantId,
        ended: (&'a Job, &'a JobEnd),
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(end_source_job(conn, tenant, ended, now))
    }
}

/// Looks at one stream.
async fn run_slice(slice: &mut Slice<'_>) -> Result<SliceOutcome, Failure> {
    let work = slice.work;
    let payload: SourceJob = work.payload().context("the payload of a discovery")?;
    let mut progress = match &work.job.progress {
        Some(progress) => {
            DiscoverProgress::deserialize(progress).context("the progress of a discovery")?
        }
        None => DiscoverProgress::default(),
    };
    let source = work.find_source(payload.connection_id).await?;
    let names = payload.streams(&source);
    let Some(name) = names.get(progress.done) else {
        return Ok(progress.end(names.len()));
    };
    progress.done += 1;
    let description = match describe(slice, &source, name).await {
        Ok(description) => description,
        Err(Failure::Source(error)) => {
            let signed_in = slice.sessions.get(source.key).is_some();
            slice.sessions.close().await;
            if error.is_transient() || !signed_in {
                return Err(Failure::Source(error));
            }
            progress.errors.push(error.to_string());
            None
        }
        Err(failure) => return Err(failure),
    };
    let mut tx = work.begin().await?;
    if let (Some(description), Some(stream)) = (description, source.stream(name)) {
        let object = object_ref(payload.connection_id, &source, stream)?;
        work.lock_connection(&mut tx, object.connection).await?;
        let (tenant, now) = (work.tenant(), work.now);
        let columns = columns(&description.schema);
        let open = Stream::open_with_columns(&mut tx, tenant, &object, Some(&columns), now);
        let stream = open.await?;
        let drift = record_schema(&mut tx, &stream, &description.schema, work.now).await?;
        progress.drifts.extend(drift);
    }
    work.commit(tx, &progress).await
}

/// What the source tells of the stream; nothing where the config does not select it any more.
async fn describe(
    slice: &mut Slice<'_>,
    source: &Source,
    name: &str,
) -> Result<Option<StreamDescription>, Failure> {
    if source.stream(name).is_none() {
        return Ok(None);
    }
    let described = slice.session(source).await?.discover(name).await;
    described.map(Some).map_err(Failure::Source)
}

impl DiscoverProgress {
    fn end(self, streams: usize) -> SliceOutcome {
        if self.errors.is_empty() {
            return SliceOutcome::Done(json!({ "objects": streams, "drifts": self.drifts }));
        }
        SliceOutcome::Failed(self.errors.join("; "))
    }
}
