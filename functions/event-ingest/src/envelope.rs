//! The platform's own envelope, and bodies as lists of events.

use std::borrow::Cow;
use std::fmt;

use aam::ingest::{self, MAX_ITEMS};
use chrono::{DateTime, Utc};
use schema::{ConnectionId, Error, Result};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::event::{Event, Format, InvalidEvent};

/// One record of a source, and what happened to it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"source": {"system": "crm", "connection_id": "0198f0c4-0000-7000-8000-000000000001"}, "entity": "account", "op": "upsert", "data": {"account_id": "17", "name": "Acme"}, "id": "e1"})))]
pub(crate) struct Envelope<'a> {
    /// Where it comes from.
    #[serde(borrow)]
    source: Source<'a>,
    /// The canonical entity that it becomes, `account`, or the source's own word for such records:
    /// they are kept as they come until a mapping says what they become.
    #[serde(borrow)]
    #[schema(pattern = "^[a-zA-Z0-9_-]{1,64}$")]
    entity: Cow<'a, str>,
    /// What happened to it.
    op: Op,
    /// The record with the source's own field names. For a delete, the key is enough.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    data: Option<&'a RawValue>,
    /// The event's id: another event of the connection with the same id is a duplicate.
    #[schema(min_length = 1, max_length = 1024)]
    id: Option<String>,
    /// When it happened. The record's version, where the record itself has none.
    occurred_at: Option<DateTime<Utc>>,
    /// Which field names the record uses; `source` by default.
    format: Option<Format>,
}

/// Where a record comes from.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventSource)]
struct Source<'a> {
    /// The system, as shipped mappings name it: `salesforce`.
    #[serde(borrow)]
    #[schema(pattern = "^[a-z0-9_-]{1,64}$")]
    system: Cow<'a, str>,
    /// The connection that brings it.
    connection_id: ConnectionId,
}

/// What happened to a record.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[schema(as = EventOperation)]
#[serde(rename_all = "snake_case")]
enum Op {
    /// It was created or changed.
    Upsert,
    /// It was deleted.
    Delete,
}

/// Whether a body is a list.
pub(crate) fn is_list(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"[")
}

/// The events of a body: the items of a list, or the body itself.
pub(crate) fn split(body: &str) -> Result<Vec<&str>> {
    let mut reader = serde_json::Deserializer::from_str(body);
    let items = if is_list(body.as_bytes()) {
        reader.deserialize_seq(Items)
    } else {
        <&RawValue>::deserialize(&mut reader).map(|it| (vec![it.get()], 1))
    };
    let not_json = |err| Error::BadRequest(format!("the body is not JSON: {err}"));
    let (items, count) = items.map_err(not_json)?;
    reader.end().map_err(not_json)?;
    if MAX_ITEMS < count {
        let detail = format!("at most {MAX_ITEMS} events, not {count}: send several requests");
        return Err(Error::invalid("", detail));
    }
    Ok(items)
}

/// Reads one event in the platform's envelope.
pub(crate) fn parse(item: &str) -> Result<Event<'_>, InvalidEvent> {
    let envelope: Envelope<'_> = serde_json::from_str(item)
        .map_err(|err| InvalidEvent::unread::<Envelope<'_>>(item, "not an event", &err))?;
    let id = envelope.id.clone();
    let event = envelope
        .into_event()
        .map_err(|reason| InvalidEvent::new(id, reason))?;
    event.check()
}

impl<'a> Envelope<'a> {
    fn into_event(self) -> Result<Event<'a>, String> {
        let data = self.data.ok_or("data: missing, send the record")?;
        let format = self.format.unwrap_or_default();
        let (connection, system) = (self.source.connection_id, &self.source.system);
        Ok(Event {
            object: format.object(connection, system, &self.entity)?,
            source: self.source.system,
            op: match self.op {
                Op::Upsert => ingest::Op::Upsert,
                Op::Delete => ingest::Op::Delete,
            },
            data: data.get().as_bytes(),
            id: self.id,
            occurred_at: self.occurred_at,
        })
    }
}

/// Keeps as many items as a request may have, and counts the others.
struct Items;

impl<'a> Visitor<'a> for Items {
    type Value = (Vec<&'a str>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX_ITEMS {
            match list.next_element::<&'a RawValue>()? {
                Some(item) => items.push(item.get()),
                None => {
                    let count = items.len();
                    return Ok((items, count));
                }
            }
        }
        let mut count = MAX_ITEMS;
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((items, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTION: &str = "0198f0c4-0000-7000-8000-000000000001";

    fn check(item: &str, expected: &str) {
        let item = item.replace(
            "SOURCE",
            &format!(r#""source":{{"system":"crm","connection_id":"{CONNECTION}"}}"#),
        );
        let said = match parse(&item) {
            Ok(event) => format!(
                "{} {:?} {} {}",
                event.object.name,
                event.op,
                event.id.as_deref().unwrap_or("-"),
                std::str::from_utf8(event.data).unwrap(),
            ),
            Err(rejected) => rejected.reason,
        };
        assert_eq!(said, expected, "{item}");
    }

    #[test]
    fn an_event_keeps_its_data_to_the_letter() {
        check(
            r#"{SOURCE,"entity":"account","op":"upsert","data":{ "a": 1.0e2 }}"#,
            r#"crm.account Upsert - { "a": 1.0e2 }"#,
        );
        check(
            r#"{SOURCE,"entity":"contact","op":"delete","data":[1],"id":"e1","format":"canonical"}"#,
            "crm.contact.canonical Delete e1 [1]",
        );
    }

    #[test]
    fn what_is_no_event_is_told_why() {
        check(
            "1",
            "not an event: invalid type: integer `1`, expected struct Envelope",
        );
        check("{", "not an event: EOF while parsing an object");
        check(
            r#"{SOURCE,"op":"upsert","data":{}}"#,
            "not an event: missing field `entity`",
        );
        check(
            r#"{SOURCE,"entity":"account","op":"upsert"}"#,
            "data: missing, send the record",
        );
        check(
            r#"{SOURCE,"entity":"account","op":"upsert","data":null}"#,
            "data: missing, send the record",
        );
        check(
            r#"{SOURCE,"entity":"in voice","op":"upsert","data":{}}"#,
            "entity: 1 to 64 of the characters a-z, A-Z, 0-9, _ and -",
        );
        check(
            r#"{SOURCE,"entity":"invoice","op":"upsert","data":{},"format":"canonical"}"#,
            "entity: one of account, opportunity, contact, aws_resource, cost_report",
        );
        check(
            r#"{SOURCE,"entity":"account","op":"patch","data":{}}"#,
            "not an event: unknown variant `patch`, expected `upsert` or `delete`",
        );
        check(
            r#"{SOURCE,"entity":"account","op":"upsert","data":{},"id":"a\u0000"}"#,
            "id: 1 to 1024 bytes without NUL",
        );
        check(
            r#"{SOURCE,"entity":"account","op":"upsert","data":{},"id":""}"#,
            "id: 1 to 1024 bytes without NUL",
        );
        // Whose it is says the key, never the event.
        check(
            r#"{SOURCE,"tenant_id":"t","entity":"account","op":"upsert","data":{}}"#,
            "not an event: unknown field `tenant_id`, expected one of \
             `source`, `entity`, `op`, `data`, `id`, `occurred_at`, `format`",
        );
        check(
            r#"{SOURCE,"entity":"account","op":"upsert","data":{},"data":{}}"#,
            "not an event: duplicate field `data`",
        );
        check(
            r#"{"source":{"system":"Crm 1","connection_id":"0198f0c4-0000-7000-8000-000000000001"},"entity":"account","op":"upsert","data":{}}"#,
            "source.system: 1 to 64 of the characters a-z, 0-9, _ and -",
        );
    }

    #[test]
    fn a_reason_is_short_however_long_the_event_is() {
        let op = "é".repeat(10_000);
        let item = format!(r#"{{"op":"{op}"}}"#);
        let reason = parse(&item).err().unwrap().reason;
        assert!(
            reason.starts_with("not an event: unknown variant"),
            "{reason}"
        );
        assert!(reason.len() < 500, "{} bytes", reason.len());
    }

    #[test]
    fn times_have_four_digits_of_years() {
        for (time, fits) in [
            ("2026-02-01T00:00:00Z", true),
            ("0001-01-01T00:00:00Z", true),
            ("0000-12-31T23:59:59Z", false),
            ("+275760-01-01T00:00:00Z", false),
            ("-0001-01-01T00:00:00Z", false),
            ("yesterday", false),
        ] {
            let item = format!(
                r#"{{"source":{{"system":"crm","connection_id":"{CONNECTION}"}},"entity":"account","op":"upsert","data":{{}},"occurred_at":"{time}"}}"#
            );
            assert_eq!(parse(&item).is_ok(), fits, "{time}");
        }
    }

    #[test]
    fn a_body_is_one_event_or_a_list() {
        let count = |body: &str| split(body).map(|it| it.len()).map_err(|it| it.code());
        assert_eq!(count(" {} "), Ok(1));
        assert_eq!(count("[]"), Ok(0));
        assert_eq!(count("[1, {}]"), Ok(2));
        assert_eq!(count("[1,"), Err("bad_request"));
        assert_eq!(count("{} {}"), Err("bad_request"));
        assert_eq!(count(""), Err("bad_request"));
        let list = |count| format!("[{}]", vec!["0"; count].join(","));
        assert_eq!(count(&list(1000)), Ok(1000));
        assert_eq!(count(&list(1001)), Err("invalid"));
    }
}
