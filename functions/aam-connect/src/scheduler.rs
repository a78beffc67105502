//! What connections do by themselves, when it is due.

use std::time::Duration;

use platform::audit::Signer;
use platform::deadline::Deadline;
use platform::jobs::{NewJob, enqueue};
use platform::queue::announce;
use platform::{Platform, Result, db};
use uuid::Uuid;

use crate::db::connections::schedule::{self, DueConnection, Schedule};
use crate::jobs::{SourceJob, discover, sync};

/// So many are started by one tick; the next one goes on.
const MAX_STARTS: i64 = 1000;
/// What one start may take.
const RESERVE: Duration = Duration::from_secs(5);

/// Makes a job of each connection that is due, of all tenants, and says how many.
///
/// # Errors
/// Where it cannot be seen what is due. One connection that cannot be started is logged, and is
/// due again at the next tick.
pub(crate) async fn start_due(
    platform: &Platform,
    what: Schedule,
    deadline: Deadline,
) -> Result<usize> {
    let mut tx = db::begin_sweep(&platform.db).await?;
    let due = schedule::list_due(&mut tx, what, MAX_STARTS).await?;
    tx.commit().await?;
    let mut started = 0;
    for due in due {
        if deadline.left() < RESERVE {
            break;
        }
        match start(platform, &due, what).await {
            Ok(new) => started += usize::from(new),
            Err(problem) => {
                let (error, connection) = (problem.error(), due.connection);
                tracing::error!(?error, %connection, "a scheduled job could not be started");
            }
        }
    }
    Ok(started)
}

impl Schedule {
    /// For how long what somebody waits for comes first. A look at the structure is in no hurry.
    fn patience(self) -> Duration {
        match self {
            Schedule::Sync => Duration::from_secs(60),
            Schedule::SchemaCheck => Duration::from_secs(600),
        }
    }
}

/// Queues the job, unless another tick was first or the last one still runs.
async fn start(platform: &Platform, due: &DueConnection, what: Schedule) -> Result<bool> {
    let now = platform::now();
    // Connections that were made together do not come together for ever.
    let jitter = f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0;
    let tenant = due.tenant;
    let kind = match what {
        Schedule::Sync => sync::NAME,
        Schedule::SchemaCheck => discover::NAME,
    };
    let job = NewJob {
        patience: what.patience(),
        ..SourceJob::incremental(due.connection).queue(kind)?
    };

    let signer = Signer::of(&platform.secrets).await?;
    let mut tx = db::begin(&platform.db, tenant).await?;
    let queued = if schedule::claim_due(&mut tx, due, what, now, jitter).await? {
        let actor = (signer, "system".to_owned(), "job.queue");
        enqueue(&mut tx, tenant, actor, job, now).await?
    } else {
        None
    };
    tx.commit().await?;
    if let Some(job) = queued {
        announce(&*platform.queue, job).await;
    }
    Ok(queued.is_some())
}
