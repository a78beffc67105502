//! Pulling: the platform asks a source for its structure and for its records.
//!
//! **Invariant:** while a source is asked, the job's row is held and no other: nobody waits for a
//! source but its own job. What came is written together with how far it reaches, so a kill at any
//! point loses and doubles nothing.

pub(crate) mod accept;
mod claims;
pub(crate) mod discover;
mod object;
mod place;
mod session;
pub(crate) mod source;
mod sweep;
pub(crate) mod sync;
mod too_large;

use aam::db::Connection;
use chrono::{DateTime, Utc};
use schema::{ConnectionId, TenantId};
use serde::{Deserialize, Serialize};
use sources::SourceError;
use utoipa::ToSchema;

use crate::db::connections::ConnectionStatus;
use crate::db::connections::source as connection_source;
use crate::db::jobs::{Job, JobEnd};
use crate::ending;
use crate::worker::SliceOutcome;
use source::Source;

pub(crate) use session::Lines;

/// What is to be pulled: the payload of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pull {
    pub(crate) connection_id: ConnectionId,
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Names of objects; all where it is left out.
    #[serde(default)]
    pub(crate) objects: Option<Vec<String>>,
    /// Whether most of what is stored may be deleted.
    #[serde(default)]
    pub(crate) confirm_deletes: bool,
}

/// How much of a source is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// What changed since the last time, where the source can tell; else all.
    #[default]
    Incremental,
    /// All of it; what is no longer there is deleted.
    Full,
}

/// Why a slice comes to nothing.
pub(crate) enum Halt {
    /// The source.
    Source(SourceError),
    /// The platform itself.
    Platform(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Halt {
    fn from(error: E) -> Halt {
        Halt::Platform(error.into())
    }
}

/// What a job leaves when it ends, whoever ended it: no run goes on, and the connection's status
/// says how it went. Of a source, a job that was canceled says nothing.
pub(crate) async fn ended(
    conn: &mut Connection,
    tenant: TenantId,
    job: &Job,
    end: &JobEnd,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    // A job that cannot be read has pulled nothing.
    let Ok(pull) = serde_json::from_value::<Pull>(job.payload.clone()) else {
        return Ok(());
    };
    ending::end_run(conn, tenant, job, end, now).await?;
    let progress = job.progress.as_ref();
    let some_came = progress
        .and_then(|it| it["troubles"].as_array())
        .is_some_and(|it| !it.is_empty());
    let status = match end {
        JobEnd::Success(_) => ConnectionStatus::Active,
        JobEnd::Failed(_) if some_came => ConnectionStatus::Healing,
        JobEnd::Failed(_) => ConnectionStatus::Failed,
        JobEnd::Canceled => return Ok(()),
    };
    connection_source::set_status(conn, tenant, pull.connection_id, status).await?;
    Ok(())
}

impl From<SourceError> for SliceOutcome {
    fn from(trouble: SourceError) -> SliceOutcome {
        if trouble.is_transient() {
            SliceOutcome::Retry(trouble.to_string())
        } else {
            SliceOutcome::Failed(trouble.to_string())
        }
    }
}

impl Pull {
    /// The objects that are to be pulled, as the config has them now.
    pub(super) fn names(&self, source: &Source) -> Vec<String> {
        match &self.objects {
            Some(names) => names.clone(),
            None => source.config.objects.iter().map(|it| it.name()).collect(),
        }
    }
}

fn internal(problem: platform::Problem) -> anyhow::Error {
    anyhow::anyhow!("{:?}", problem.error())
}
