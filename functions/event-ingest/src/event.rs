//! An event, whichever way it was written.

use std::borrow::Cow;

use aam::ingest::Op;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use schema::source::ObjectRef;
use schema::{ConnectionId, input};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The id goes into an index, whose entries end near 2,700 bytes.
const MAX_ID: usize = 1024;
const MAX_SYSTEM: usize = 64;
/// The same index has it beside the id.
const MAX_SOURCE: usize = 1024;
/// So far ahead a clock may be.
const MAX_AHEAD: TimeDelta = TimeDelta::hours(24);

/// An object without a mapping is shown by this word: no source's kind has it.
const UNMAPPED_KIND: &str = "unmapped";

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
pub(crate) struct InvalidEvent {
    pub(crate) id: Option<String>,
    /// The JSON pointer of what is wrong in it, or the name of a header.
    pub(crate) pointer: String,
    pub(crate) reason: String,
}

impl InvalidEvent {
    /// A reason that says which field it is about is pointed there: `source.system: …`.
    pub(crate) fn new(id: Option<String>, reason: String) -> InvalidEvent {
        let is_path = |it: &&str| {
            it.bytes()
                .all(|it| b"._".contains(&it) || it.is_ascii_lowercase())
        };
        let field = reason.split_once(": ").map(|it| it.0).filter(is_path);
        InvalidEvent {
            id,
            pointer: field.map_or_else(String::new, |it| format!("/{}", it.replace('.', "/"))),
            reason,
        }
    }

    /// An item that is no `T`.
    pub(crate) fn unread<'a, T: Deserialize<'a>>(
        item: &'a str,
        what: &str,
        error: &serde_json::Error,
    ) -> InvalidEvent {
        // What serde says, without line and column: they are those of the item, not of the body.
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text);
        InvalidEvent {
            id: None,
            pointer: input::fault::<T>(item).unwrap_or_default(),
            reason: format!("{what}: {}", text.chars().take(200).collect::<String>()),
        }
    }
}

/// Which field names a record uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = EventFormat)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// The source's: the connection's mapping reads it.
    #[default]
    Source,
    /// The platform's: it is canonical already.
    Canonical,
}

impl Format {
    /// The source object of records in these words. A source may have kinds of its own: nobody has
    /// said yet what they become.
    ///
    /// # Errors
    /// Says what is wrong with a kind that cannot be.
    pub(crate) fn object(
        self,
        connection: ConnectionId,
        system: &str,
        kind: &str,
    ) -> Result<ObjectRef, String> {
        let entity = schema::entity::find(kind);
        match (self, entity) {
            (Format::Source, Some(entity)) => Ok(ObjectRef::of_entity(connection, system, entity)),
            (Format::Canonical, Some(entity)) => {
                Ok(ObjectRef::canonical(connection, system, entity))
            }
            (Format::Source, None) if is_kind(kind) => Ok(ObjectRef {
                connection,
                name: format!("{system}.{kind}"),
                system: system.to_owned(),
                entity: schema::entity::UNMAPPED.into(),
            }),
            (Format::Source, None) => Err(format!(
                "entity: 1 to {MAX_SYSTEM} of the characters a-z, A-Z, 0-9, _ and -"
            )),
            (Format::Canonical, None) => Err(no_entity()),
        }
    }
}

impl Event<'_> {
    /// Checks what the types do not.
    pub(crate) fn check(self) -> Result<Self, InvalidEvent> {
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
        Err(self.invalid(fault))
    }

    /// Refuses what has not happened yet: it would make all that comes until then stale.
    pub(crate) fn check_time(self, now: DateTime<Utc>) -> Result<Self, InvalidEvent> {
        match self.occurred_at {
            Some(at) if now + MAX_AHEAD < at => Err(self.invalid(
                "occurred_at: more than 24 hours in the future, send when it happened or leave it out",
            )),
            _ => Ok(self),
        }
    }

    fn invalid(self, reason: &str) -> InvalidEvent {
        InvalidEvent::new(self.id.filter(|it| is_id(it)), reason.to_owned())
    }
}

fn no_entity() -> String {
    let kinds: Vec<_> = schema::entity::ENTITIES
        .iter()
        .copied()
        .map(|it| &*it.kind)
        .collect();
    format!("entity: one of {}", kinds.join(", "))
}

/// Whether a source can call its records so: the name is part of the object's, and of paths.
fn is_kind(text: &str) -> bool {
    let word = |it: u8| it.is_ascii_alphanumeric() || b"_-".contains(&it);
    (1..=MAX_SYSTEM).contains(&text.len()) && text.bytes().all(word) && text != UNMAPPED_KIND
}

fn is_system(text: &str) -> bool {
    let word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"_-".contains(&it);
    (1..=MAX_SYSTEM).contains(&text.len()) && text.bytes().all(word)
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn event_of(system: &str) -> Event<'static> {
        let connection = ConnectionId(Uuid::nil());
        Event {
            object: Format::Source
                .object(connection, system, "account")
                .unwrap(),
            op: Op::Upsert,
            data: b"{}",
            id: Some("e1".to_owned()),
            source: "crm".into(),
            occurred_at: None,
        }
    }

    fn event() -> Event<'static> {
        event_of("crm")
    }

    /// The id and the reason of a refusal.
    fn check(event: Event<'_>, expected: Option<(Option<&str>, &str)>) {
        let shown = format!("{event:?}");
        let found = event.check().err().map(|it| (it.id, it.reason));
        let found = found.as_ref().map(|it| (it.0.as_deref(), it.1.as_str()));
        assert_eq!(found, expected, "{shown}");
    }

    #[test]
    fn what_goes_into_an_index_is_short_enough_for_it() {
        let reason = "id: 1 to 1024 bytes without NUL";
        for (id, fits) in [
            ("x".repeat(1024), true),
            ("x".repeat(1025), false),
            ("é".repeat(513), false),
            (String::new(), false),
            ("a\0".to_owned(), false),
        ] {
            let id = Some(id);
            // An id that cannot be an id is not repeated.
            let expected = (!fits).then_some((None, reason));
            check(Event { id, ..event() }, expected);
        }
        let reason = "source: at most 1024 bytes without NUL";
        for (source, fits) in [
            ("x".repeat(1024), true),
            ("x".repeat(1025), false),
            ("a\0".to_owned(), false),
        ] {
            let source = source.into();
            let expected = (!fits).then_some((Some("e1"), reason));
            check(Event { source, ..event() }, expected);
        }
    }

    #[test]
    fn a_system_is_a_word_in_lower_case() {
        let reason = "source.system: 1 to 64 of the characters a-z, 0-9, _ and -";
        for (system, fits) in [
            ("my-crm_2".to_owned(), true),
            ("x".repeat(64), true),
            ("x".repeat(65), false),
            (String::new(), false),
            ("Crm".to_owned(), false),
            ("my.crm".to_owned(), false),
            ("crmé".to_owned(), false),
        ] {
            let expected = (!fits).then_some((Some("e1"), reason));
            check(event_of(&system), expected);
        }
    }

    #[test]
    fn a_clock_may_be_a_day_ahead_and_no_more() {
        let now: DateTime<Utc> = "2026-02-01T00:00:00Z".parse().unwrap();
        let moment = TimeDelta::microseconds(1);
        for (occurred_at, fits) in [
            (None, true),
            (Some(now - TimeDelta::days(10_000)), true),
            (Some(now + TimeDelta::days(1)), true),
            (Some(now + TimeDelta::days(1) + moment), false),
        ] {
            let event = Event {
                occurred_at,
                ..event()
            };
            assert_eq!(event.check_time(now).is_ok(), fits, "{occurred_at:?}");
        }
    }
}
