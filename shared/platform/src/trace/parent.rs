//! Whose work a request is part of, as its headers say.

use axum::http::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// The trace that a request belongs to, and the span in it that asked for it.
#[derive(Debug, PartialEq)]
pub(super) struct Parent {
    /// 32 hex digits, or what the client sent as `X-Trace-Id`.
    pub(super) trace_id: String,
    /// The span that asked, 16 hex digits.
    pub(super) span: Option<String>,
    /// Whether the trace is recorded.
    pub(super) sampled: bool,
}

impl Parent {
    /// What the client sent, in W3C `traceparent` or in `X-Trace-Id`; else what X-Ray did, which
    /// the gateway gave; else a new trace.
    pub(super) fn of(headers: &HeaderMap) -> Parent {
        let text = |name| {
            let value = headers.get(name);
            value.and_then(|it: &HeaderValue| it.to_str().ok())
        };
        let w3c = || text("traceparent").and_then(w3c);
        let own = || text("x-trace-id").filter(|it| is_safe(it)).map(Parent::new);
        let xray = || text("x-amzn-trace-id").and_then(xray);
        w3c()
            .or_else(own)
            .or_else(xray)
            .unwrap_or_else(|| Parent::new(&Uuid::new_v4().simple().to_string()))
    }

    fn new(trace_id: &str) -> Parent {
        Parent {
            trace_id: trace_id.to_owned(),
            span: None,
            sampled: true,
        }
    }
}

/// A W3C `traceparent`. A later version may have more parts than four.
fn w3c(header: &str) -> Option<Parent> {
    let parts: Vec<_> = header.split('-').collect();
    let [version, trace, span, flags, rest @ ..] = &parts[..] else {
        return None;
    };
    let known = is_hex(version, 2) && *version != "ff" && (*version != "00" || rest.is_empty());
    let there = |it: &str| it.bytes().any(|digit| digit != b'0');
    let whole = is_hex(trace, 32) && there(trace) && is_hex(span, 16) && there(span);
    if !(known && whole && is_hex(flags, 2)) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some(Parent {
        trace_id: (*trace).to_owned(),
        span: Some((*span).to_owned()),
        sampled: flags & 1 == 1,
    })
}

/// X-Ray's `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
fn xray(header: &str) -> Option<Parent> {
    let (time, rest) = xray_root(header)?.strip_prefix("1-")?.split_once('-')?;
    if !(is_hex(time, 8) && is_hex(rest, 24)) {
        return None;
    }
    let parent = xray_part(header, "Parent=").filter(|it| is_hex(it, 16));
    Some(Parent {
        trace_id: format!("{time}{rest}"),
        span: parent.map(str::to_owned),
        // Without a word of X-Ray's it is not for X-Ray to say.
        sampled: xray_part(header, "Sampled=") != Some("0"),
    })
}

/// The trace in X-Ray's header, as X-Ray writes it.
pub(crate) fn xray_root(header: &str) -> Option<&str> {
    xray_part(header, "Root=")
}

fn xray_part<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = header.split(';').map(str::trim);
    parts.find_map(|it| it.strip_prefix(name))
}

pub(super) fn is_hex(text: &str, length: usize) -> bool {
    let digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    text.len() == length && text.bytes().all(digit)
}

/// Whether a client's own id can stand in a log line: a UUID of any spelling can.
fn is_safe(id: &str) -> bool {
    let word = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    (1..=64).contains(&id.len()) && id.bytes().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &str, expected: Option<&str>) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let found = Parent::of(&headers).trace_id;
        match expected {
            Some(expected) => assert_eq!(found, expected, "{name}: {value}"),
            // A new one, that nobody sent.
            None => assert!(
                is_hex(&found, 32) && !value.contains(&found),
                "{name}: {value}"
            ),
        }
    }

    #[test]
    fn a_client_may_bring_its_trace() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(
            "traceparent",
            &format!("00-{trace}-00f067aa0ba902b7-01"),
            Some(trace),
        );
        check("x-trace-id", trace, Some(trace));
        check(
            "traceparent",
            &format!("ff-{trace}-00f067aa0ba902b7-01"),
            None,
        );
        check(
            "traceparent",
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            None,
        );
        check("traceparent", "00-4bf9-00f067aa0ba902b7-01", None);
        check(
            "traceparent",
            &format!("00-{trace}-00f067aa0ba902b7-01-x"),
            None,
        );
        check(
            "traceparent",
            &format!("00-{trace}-{}-01", "0".repeat(16)),
            None,
        );
        check("traceparent", &format!("00-{trace}"), None);
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        check(
            "x-amzn-trace-id",
            &format!("{root};Parent=53995c3f42cd8ad8;Sampled=1"),
            Some("5759e988bd862e3fe1be46a994272793"),
        );
        check("x-amzn-trace-id", "Root=1-5759e988-zz", None);
        check(
            "traceparent",
            &format!("01-{trace}-00f067aa0ba902b7-01-more"),
            Some(trace),
        );
        let uuid = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
        check("x-trace-id", uuid, Some(uuid));
        check("x-trace-id", "a line\tthat is none", None);
        check("x-trace-id", &"a".repeat(65), None);
    }

    #[test]
    fn a_trace_that_is_not_recorded_stays_so() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        for (name, value, span, sampled) in [
            (
                "traceparent",
                format!("00-{trace}-00f067aa0ba902b7-01"),
                Some("00f067aa0ba902b7"),
                true,
            ),
            (
                "traceparent",
                format!("00-{trace}-00f067aa0ba902b7-00"),
                Some("00f067aa0ba902b7"),
                false,
            ),
            (
                "x-amzn-trace-id",
                format!("{root};Parent=53995c3f42cd8ad8;Sampled=0"),
                Some("53995c3f42cd8ad8"),
                false,
            ),
            ("x-amzn-trace-id", root.to_owned(), None, true),
            ("x-trace-id", trace.to_owned(), None, true),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            let parent = Parent::of(&headers);
            assert_eq!(
                (parent.span.as_deref(), parent.sampled),
                (span, sampled),
                "{value}"
            );
        }
    }
}
