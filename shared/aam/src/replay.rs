//! Replays: mapping what is stored again, as a job. The source is not asked.

use platform::jobs::NewJob;
use platform::{Caller, JobAccepted, db};
use schema::ConnectionId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of such a job.
pub const KIND: &str = "replay";

/// What to replay. Names that are left out mean all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Whose records.
    pub connection_id: ConnectionId,
    /// Only those of this object.
    pub object: Option<String>,
    /// Only those of this system.
    pub system: Option<String>,
    /// Only those of this entity.
    pub entity: Option<String>,
    /// Where to begin with each object.
    pub from: Phase,
    /// Of what is quarantined, only records in which this canonical field is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Of what is quarantined, only this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
}

/// What is done to the records of an object, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// They are taken out of the views, and stand where records without a mapping do: after a
    /// change of their id or of their entity.
    Reset,
    /// Those that are stored by their ids are mapped.
    Raw,
    /// Those that are stored by their contents are mapped: what has an id is as this mapping reads it
    /// by then, or takes no part any more.
    Unkeyed,
    /// Those in quarantine are mapped.
    Quarantine,
}

impl Replay {
    /// Of one object, from that phase on.
    pub fn of_object(connection_id: ConnectionId, object: &str, from: Phase) -> Replay {
        Replay {
            connection_id,
            object: Some(object.to_owned()),
            system: None,
            entity: None,
            from,
            field: None,
            group: None,
        }
    }

    /// Whether only some groups of what is quarantined are replayed.
    pub fn names_groups(&self) -> bool {
        self.field.is_some() || self.group.is_some()
    }

    /// Makes the job, unless the same one waits already. Replays of a connection run one by one:
    /// two at once would write the same records.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn queue(
        &self,
        conn: &mut db::Connection,
        caller: &Caller,
    ) -> platform::Result<JobAccepted> {
        let about = format!("connection:{}", self.connection_id);
        let job = NewJob::new(KIND, about.clone(), self)?.exclusive();
        let find = db::jobs::find_queued;
        if let Some(waiting) = find(conn, caller.tenant, (KIND, &about), &job.payload).await? {
            return Ok(JobAccepted::merged(waiting, KIND));
        }
        JobAccepted::queue(conn, caller, "replay.queue", job).await
    }
}
