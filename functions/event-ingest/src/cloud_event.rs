//! CloudEvents 1.0, structured, batched and binary.
//!
//! `source` ends with `/connections/<connection id>/<system>`, `type` with `<entity>.<op>`:
//! `com.example.account.upsert`. The extension attribute `format` is the envelope's. Other
//! extension attributes are let through, as the specification asks.

use std::borrow::Cow;

use aam::ingest::Op;
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};
use platform::extract::is_json;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::event::{Event, Format, InvalidEvent};

/// A CloudEvent: the attributes that matter here, beside any others.
#[derive(Deserialize, ToSchema)]
#[schema(as = CloudEvent)]
#[schema(examples(json!({"specversion": "1.0", "id": "e2", "source": "/connections/0198f0c4-0000-7000-8000-000000000001/crm", "type": "com.example.account.upsert", "data": {"account_id": "17", "name": "Acme"}})))]
pub(crate) struct Attributes<'a> {
    #[serde(borrow)]
    #[schema(pattern = r"^1\.0$")]
    specversion: Cow<'a, str>,
    /// Tells it from others of the same `source`.
    #[schema(min_length = 1, max_length = 1024)]
    id: String,
    /// Ends with `/connections/<connection id>/<system>`.
    #[serde(borrow)]
    #[schema(
        max_length = 1024,
        pattern = "/connections/[0-9a-fA-F-]{36}/[a-z0-9_-]{1,64}$"
    )]
    source: Cow<'a, str>,
    /// Ends with `<entity>.upsert` or `<entity>.delete`.
    #[serde(borrow, rename = "type")]
    #[schema(pattern = r"^(.*\.)?[a-zA-Z0-9_-]{1,64}\.(upsert|delete)$")]
    kind: Cow<'a, str>,
    /// When it happened.
    time: Option<DateTime<Utc>>,
    /// JSON, if it is given.
    #[schema(pattern = r"^application/(json|[a-z0-9.-]+\+json)$")]
    datacontenttype: Option<String>,
    /// Which field names the record uses; `source` by default.
    format: Option<Format>,
    /// The record.
    #[serde(borrow)]
    #[schema(required = true, value_type = Object)]
    data: Option<&'a RawValue>,
    #[schema(ignore)]
    data_base64: Option<IgnoredAny>,
}

/// Reads one structured event.
pub(crate) fn parse(item: &str) -> Result<Event<'_>, InvalidEvent> {
    let attributes: Attributes<'_> = serde_json::from_str(item)
        .map_err(|err| InvalidEvent::unread::<Attributes<'_>>(item, "not a CloudEvent", &err))?;
    let data = match (attributes.data, attributes.data_base64) {
        (Some(data), None) => Ok(data.get().as_bytes()),
        (_, Some(_)) => Err("data_base64: not supported, send the record as JSON in `data`"),
        (None, None) => Err("data: missing, send the record"),
    };
    let id = Some(attributes.id.clone());
    match data {
        Ok(data) => attributes.into_event(data),
        Err(reason) => Err(InvalidEvent::new(id, reason.to_owned())),
    }
}

/// Whether an item says that it is one.
pub(crate) fn is_one(item: &str) -> bool {
    #[derive(Deserialize)]
    struct Version {
        #[serde(rename = "specversion")]
        _specversion: IgnoredAny,
    }
    serde_json::from_str::<Version>(item).is_ok()
}

/// Whether the body is one or several events with their attributes.
pub(crate) fn is_structured(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    kind.starts_with(b"application/cloudevents")
}

/// Whether the attributes are in headers and the body is the data.
pub(crate) fn is_binary(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
}

/// Reads the one event of a request in binary mode.
pub(crate) fn parse_binary<'a>(
    headers: &HeaderMap,
    body: &'a [u8],
) -> Result<Event<'a>, InvalidEvent> {
    let event = binary(headers).map_err(|reason| InvalidEvent::new(None, reason));
    let event = event.and_then(|it| it.into_event(body));
    // Each attribute is a header.
    event.map_err(|invalid| InvalidEvent {
        pointer: invalid.pointer.replacen('/', "ce-", 1),
        ..invalid
    })
}

fn binary(headers: &HeaderMap) -> Result<Attributes<'static>, String> {
    let find = |name: &str| match headers.get(format!("ce-{name}")) {
        Some(value) => decode(value.as_bytes())
            .map(Some)
            .ok_or_else(|| format!("{name}: not percent-encoded UTF-8")),
        None => Ok(None),
    };
    let get = |name: &str| find(name)?.ok_or_else(|| format!("{name}: missing"));
    let time = find("time")?
        .map(|it| {
            it.parse()
                .map_err(|_| "time: not an RFC 3339 time".to_owned())
        })
        .transpose()?;
    let format = match find("format")?.as_deref() {
        None => None,
        Some("source") => Some(Format::Source),
        Some("canonical") => Some(Format::Canonical),
        Some(_) => return Err("format: must be source or canonical".to_owned()),
    };
    Ok(Attributes {
        specversion: get("specversion")?.into(),
        id: get("id")?,
        source: get("source")?.into(),
        kind: get("type")?.into(),
        time,
        datacontenttype: None,
        format,
        data: None,
        data_base64: None,
    })
}

impl<'a> Attributes<'a> {
    fn into_event(self, data: &'a [u8]) -> Result<Event<'a>, InvalidEvent> {
        let id = Some(self.id.clone());
        let event = self.event(data);
        let event = event.map_err(|reason| InvalidEvent::new(id, reason));
        event
            .and_then(Event::check)
            .map_err(|invalid| InvalidEvent {
                pointer: attribute(&invalid.pointer).to_owned(),
                ..invalid
            })
    }

    fn event(self, data: &'a [u8]) -> Result<Event<'a>, String> {
        if self.specversion != "1.0" {
            return Err("specversion: only 1.0 is supported".to_owned());
        }
        if self.datacontenttype.is_some_and(|it| !is_json(&it)) {
            return Err("datacontenttype: only JSON is supported".to_owned());
        }
        let mut source = self.source.rsplit('/');
        let (system, connection) = (source.next(), source.next());
        let (Some(system), Some(connection), Some("connections")) =
            (system, connection, source.next())
        else {
            return Err("source: must end with /connections/<connection id>/<system>".to_owned());
        };
        let mut kind = self.kind.rsplit('.');
        let op = match kind.next() {
            Some("upsert") => Op::Upsert,
            Some("delete") => Op::Delete,
            _ => return Err("type: must end with <entity>.upsert or <entity>.delete".to_owned()),
        };
        let not_an_id = |_| "source: the connection's id is not a UUID".to_owned();
        let connection = connection.parse().map_err(not_an_id)?;
        let kind = kind.next().unwrap_or_default();
        let format = self.format.unwrap_or_default();
        Ok(Event {
            object: format.object(connection, system, kind)?,
            op,
            data,
            id: Some(self.id),
            source: self.source,
            occurred_at: self.time,
        })
    }
}

/// The attribute that says what the envelope has there.
fn attribute(pointer: &str) -> &str {
    match pointer {
        "/entity" => "/type",
        "/source/system" => "/source",
        "/occurred_at" => "/time",
        other => other,
    }
}

/// A header's value as the HTTP binding writes it: UTF-8, percent-encoded.
fn decode(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "https://crm.example/connections/0198f0c4-0000-7000-8000-000000000001/crm";

    fn say(event: Result<Event<'_>, InvalidEvent>) -> String {
        match event {
            Ok(it) => format!(
                "{} {:?} {} {}",
                it.object.name,
                it.op,
                it.id.unwrap_or_default(),
                String::from_utf8_lossy(it.data)
            ),
            Err(it) => format!("{} {}", it.id.unwrap_or_default(), it.reason),
        }
    }

    fn check(change: (&str, &str), expected: &str) {
        let item = format!(
            r#"{{"specversion":"1.0","id":"e1","source":"{SOURCE}","type":"com.example.account.upsert","traceparent":"x","data":{{"a":1}}}}"#
        );
        let changed = item.replace(change.0, change.1);
        assert_eq!(say(parse(&changed)), expected, "{changed}");
    }

    #[test]
    fn a_structured_event_says_all_by_attributes() {
        check(("", ""), r#"crm.account Upsert e1 {"a":1}"#);
        check((".upsert", ".delete"), r#"crm.account Delete e1 {"a":1}"#);
        check(
            (r#""data""#, r#""format":"canonical","data""#),
            r#"crm.account.canonical Upsert e1 {"a":1}"#,
        );
    }

    #[test]
    fn what_is_not_taken_is_told_why() {
        check(("1.0", "0.3"), "e1 specversion: only 1.0 is supported");
        check(
            (r#""data""#, r#""datacontenttype":"text/xml","data""#),
            "e1 datacontenttype: only JSON is supported",
        );
        check(
            (r#""data":{"a":1}"#, r#""data_base64":"e30=""#),
            "e1 data_base64: not supported, send the record as JSON in `data`",
        );
        check(
            ("/connections/", "/"),
            "e1 source: must end with /connections/<connection id>/<system>",
        );
        check(
            ("0198f0c4", "zz"),
            "e1 source: the connection's id is not a UUID",
        );
        check(
            ("account.upsert", "account"),
            "e1 type: must end with <entity>.upsert or <entity>.delete",
        );
        check(
            ("example.account", "example.in voice"),
            "e1 entity: 1 to 64 of the characters a-z, A-Z, 0-9, _ and -",
        );
        check(
            (r#""id":"e1","#, ""),
            " not a CloudEvent: missing field `id`",
        );
    }

    /// An event in binary mode, with one header set to a value or left out.
    fn check_binary(name: &'static str, value: Option<&[u8]>, expected: &str) {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", "%C3%A9%201"),
            ("ce-source", SOURCE),
            ("ce-type", "contact.delete"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        match value {
            Some(value) => drop(headers.insert(name, HeaderValue::from_bytes(value).unwrap())),
            None => drop(headers.remove(name)),
        }
        let said = say(parse_binary(&headers, b"{broken"));
        assert_eq!(said, expected, "{name} {value:?}");
    }

    #[test]
    fn a_binary_event_has_its_attributes_in_headers() {
        let whole = "crm.contact Delete é 1 {broken";
        check_binary("ce-other", Some(b"let through"), whole);
        check_binary("ce-time", Some(b"2026-02-01T00:00:00Z"), whole);
        check_binary("ce-format", Some(b"source"), whole);
        let canonical = "crm.contact.canonical Delete é 1 {broken";
        check_binary("ce-format", Some(b"canonical"), canonical);
        check_binary("ce-id", Some(b"50%25"), "crm.contact Delete 50% {broken");
    }

    #[test]
    fn a_header_that_cannot_be_read_is_named() {
        for name in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
            let attribute = name.trim_start_matches("ce-");
            check_binary(name, None, &format!(" {attribute}: missing"));
        }
        let undecoded = " id: not percent-encoded UTF-8";
        for id in [&b"%zz"[..], b"a%2", b"%", b"%ff", b"\xff"] {
            check_binary("ce-id", Some(id), undecoded);
        }
        let time = " time: not an RFC 3339 time";
        check_binary("ce-time", Some(b"yesterday"), time);
        let format = " format: must be source or canonical";
        check_binary("ce-format", Some(b"xml"), format);
        let version = "é 1 specversion: only 1.0 is supported";
        check_binary("ce-specversion", Some(b"0.3"), version);
    }
}
