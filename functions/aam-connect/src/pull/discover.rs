//! The job `discover`: the structure of a source's objects, one after the other.

use aam::db::Connection;
use anyhow::Context;
use chrono::{DateTime, Utc};
use platform::Platform;
use schema::{DriftId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::place::Place;
use super::source::Source;
use super::{Halt, Lines, Pull, internal};
use crate::db::jobs::Job;
use crate::worker::{SliceOutcome, TimeLimit};

/// The kind of its jobs.
pub(crate) const KIND: &str = "discover";

/// For how long one may run.
pub(crate) const LIMIT: TimeLimit = TimeLimit {
    hours: 2,
    advice: "look at fewer tables at a time, with {\"objects\": [\"…\"]}",
};

/// How far a discovery is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// How many objects are done.
    done: usize,
    /// The drifts that it was the first to see.
    drifts: Vec<DriftId>,
    /// What went wrong with single objects; the others go on.
    troubles: Vec<String>,
}

/// Does one slice of a discovery: one object.
pub(crate) async fn step(
    platform: &Platform,
    conn: &mut Connection,
    lines: &mut Lines,
    (tenant, job): (TenantId, &Job),
    now: DateTime<Utc>,
) -> anyhow::Result<SliceOutcome> {
    let pull = serde_json::from_value(job.payload.clone());
    let pull: Pull = pull.context("the payload of a discovery")?;
    let progress = job.progress.clone().map(serde_json::from_value).transpose();
    let mut progress: Progress = progress
        .context("the progress of a discovery")?
        .unwrap_or_default();
    let found = Source::find(conn, tenant, pull.connection_id).await;
    let Some(source) = found.map_err(internal)? else {
        return Ok(SliceOutcome::Failed(
            "the connection was deleted".to_owned(),
        ));
    };
    let names = pull.names(&source);
    let Some(name) = names.get(progress.done) else {
        return Ok(progress.end(names.len()));
    };
    progress.done += 1;
    match look(platform, conn, lines, (tenant, &pull, &source, name), now).await {
        Ok(drift) => progress.drifts.extend(drift),
        Err(Halt::Source(trouble)) => {
            let signed_in = source.is_open(lines);
            lines.hang_up().await;
            if trouble.is_transient() || !signed_in {
                return Ok(trouble.into());
            }
            progress.troubles.push(trouble.to_string());
        }
        Err(Halt::Platform(error)) => return Err(error),
    }
    Ok(SliceOutcome::More(serde_json::to_value(progress)?))
}

async fn look(
    platform: &Platform,
    conn: &mut Connection,
    lines: &mut Lines,
    (tenant, pull, source, name): (TenantId, &Pull, &Source, &str),
    now: DateTime<Utc>,
) -> Result<Option<DriftId>, Halt> {
    let Some((index, object)) = source.config.object(name) else {
        return Ok(None);
    };
    let line = source.line(platform, conn, tenant, lines).await?;
    let table = line.table(index, object).await.map_err(Halt::Source)?;
    let place = Place {
        tenant,
        connection: pull.connection_id,
        system: source.system,
        object,
        now,
    };
    place.hold(conn).await?;
    Ok(place.learn(conn, &table.schema()).await?)
}

impl Progress {
    fn end(self, objects: usize) -> SliceOutcome {
        if self.troubles.is_empty() {
            return SliceOutcome::Done(json!({ "objects": objects, "drifts": self.drifts }));
        }
        SliceOutcome::Failed(self.troubles.join("; "))
    }
}
