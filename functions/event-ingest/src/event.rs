//! An event, whichever way it was written.

use std::borrow::Cow;

use aam::ingest::Op;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use schema::source::ObjectRef;
use schema::{ConnectionId, Entity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The id goes into an index, whose entries end near 2,700 bytes.
const MAX_ID: usize = 1024;
const MAX_SYSTEM: usize = 64;
/// The same index has it beside the id.
const MAX_SOURCE: usize = 1024;
/// So far ahead a clock may be.
const MAX_AHEAD: TimeDelta = TimeDelta::hours(24);

/// One event.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    /// What the record is of.
    pub(crate) object: ObjectRef,
    pub(crate) op: Op,
    /// JSON text.
    pub(crate) data: &'a [u8],
    /// Tells it from others of the same `source`.
    pub(crate) id: Option<String>,
    /// Who sent it: the `source` of a CloudEvent, else the system.
    pub(crate) source: Cow<'a, str>,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
}

/// Something that is no event, with what can be said about it.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) id: Option<String>,
    pub(crate) reason: String,
}

/// Whose words a record is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// The source's: the connection's mapping reads it.
    #[default]
    Source,
    /// The platform's: it is canonical already.
    Canonical,
}

impl Format {
    /// The source object of records in these words.
    pub(crate) fn object(
        self,
        connection: ConnectionId,
        system: &str,
        entity: &'static Entity,
    ) -> ObjectRef {
        match self {
            Format::Source => ObjectRef::of_entity(connection, system, entity),
            Format::Canonical => ObjectRef::canonical(connection, system, entity),
        }
    }
}

impl Event<'_> {
    /// Checks what the types do not.
    pub(crate) fn check(self) -> Result<Self, Rejected> {
        let fault = match &self {
            it if !is_system(&it.object.system) => {
                "source.system: 1 to 64 of the characters a-z, 0-9, _ and -"
            }
            it if it.id.as_deref().is_some_and(|it| !is_id(it)) => {
                "id: 1 to 1024 bytes without NUL"
            }
            it if MAX_SOURCE < it.source.len() || it.source.contains('\0') => {
                "source: at most 1024 bytes without NUL"
            }
            it if it
                .occurred_at
                .is_some_and(|it| !(1..=9999).contains(&it.year())) =>
            {
                "occurred_at: a time of the years 0001 to 9999"
            }
            _ => return Ok(self),
        };
        Err(self.rejected(fault))
    }

    /// Refuses what has not happened yet: it would make all that comes until then stale.
    pub(crate) fn check_time(self, now: DateTime<Utc>) -> Result<Self, Rejected> {
        match self.occurred_at {
            Some(at) if now + MAX_AHEAD < at => Err(self.rejected(
                "occurred_at: more than 24 hours in the future, send when it happened or leave it out",
            )),
            _ => Ok(self),
        }
    }

    fn rejected(self, reason: &str) -> Rejected {
        Rejected {
            id: self.id.filter(|it| is_id(it)),
            reason: reason.to_owned(),
        }
    }
}

/// The entity of that kind, or what there is.
pub(crate) fn entity(kind: &str) -> Result<&'static Entity, String> {
    schema::entity::find(kind).ok_or_else(|| {
        let kinds: Vec<_> = schema::entity::ENTITIES.iter().map(|it| it.kind).collect();
        format!("entity: one of {}", kinds.join(", "))
    })
}

fn is_system(text: &str) -> bool {
    let word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_-".contains(&it);
    (1..=MAX_SYSTEM).contains(&text.len()) && text.bytes().all(word)
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && !text.contains('\0')
}
