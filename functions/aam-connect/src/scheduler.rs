//! What connections do by themselves, when it is due.

use std::time::Duration;

use platform::audit::{self, Entry};
use platform::db::queue::Order;
use platform::deadline::Deadline;
use platform::queue::{JobRef, announce};
use platform::{Platform, Result, db};
use schema::{Error, JobId};
use serde_json::json;
use uuid::Uuid;

use crate::db::connections::schedule::{self, Due, Schedule};
use crate::db::jobs;
use crate::pull::{Mode, Pull, discover, sync};

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

/// Makes the job, unless another tick was first or the last one still runs.
async fn start(platform: &Platform, due: &Due, what: Schedule) -> Result<bool> {
    let now = platform::now();
    // Connections that were made together do not come together for ever.
    let jitter = f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0;
    let (tenant, job) = (due.tenant, JobId(Uuid::now_v7()));
    let kind = match what {
        Schedule::Sync => sync::KIND,
        Schedule::SchemaCheck => discover::KIND,
    };
    let pull = Pull {
        connection_id: due.connection,
        mode: Mode::Incremental,
        objects: None,
        confirm_deletes: false,
    };
    let payload = serde_json::to_value(&pull).map_err(|err| Error::Internal(err.into()))?;

    let mut tx = db::begin(&platform.db, tenant).await?;
    let new = schedule::claim_due(&mut tx, due, what, now, jitter).await?
        && jobs::insert_once(&mut tx, tenant, job, (kind, &payload), now).await?;
    if new {
        let order = Order {
            exclusive: None,
            patience: what.patience(),
        };
        db::queue::insert(&mut tx, tenant, job, order).await?;
        let entry = Entry {
            at: now,
            actor: "system".to_owned(),
            action: "job.queue",
            object: format!("connection:{}", due.connection),
            before: None,
            after: Some(json!({ "job": job, "kind": kind })),
        };
        audit::append(&mut tx, tenant, &entry).await?;
    }
    tx.commit().await?;
    if new {
        announce(&*platform.queue, JobRef { tenant, job }).await;
    }
    Ok(new)
}
