//! OTLP's protobuf, of it what a span of ours needs.

use std::time::SystemTime;

use super::Recorded;

/// An `ExportTraceServiceRequest` with these spans.
pub(super) fn request(service: &str, spans: &[Recorded]) -> Vec<u8> {
    let mut resource = Vec::new();
    attribute(&mut resource, 1, "service.name", service);
    let mut scope = Vec::new();
    bytes(&mut scope, 1, b"autonomos");
    let mut scope_spans = Vec::new();
    bytes(&mut scope_spans, 1, &scope);
    for it in spans {
        bytes(&mut scope_spans, 2, &span(it));
    }
    let mut resource_spans = Vec::new();
    bytes(&mut resource_spans, 1, &resource);
    bytes(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    bytes(&mut request, 1, &resource_spans);
    request
}

fn span(it: &Recorded) -> Vec<u8> {
    let mut span = Vec::new();
    bytes(&mut span, 1, &it.trace_id);
    bytes(&mut span, 2, &it.id);
    if let Some(parent) = &it.parent {
        bytes(&mut span, 4, parent);
    }
    bytes(&mut span, 5, it.name.as_bytes());
    number(&mut span, 6, it.kind as u64);
    fixed(&mut span, 7, nanos(it.time.start));
    fixed(&mut span, 8, nanos(it.time.end));
    for (name, value) in &it.attributes {
        attribute(&mut span, 9, name, value);
    }
    if it.failed {
        let mut status = Vec::new();
        number(&mut status, 3, 2);
        bytes(&mut span, 15, &status);
    }
    span
}

fn attribute(out: &mut Vec<u8>, field: u64, name: &str, text: &str) {
    let mut value = Vec::new();
    bytes(&mut value, 1, text.as_bytes());
    let mut pair = Vec::new();
    bytes(&mut pair, 1, name.as_bytes());
    bytes(&mut pair, 2, &value);
    bytes(out, field, &pair);
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn fixed(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
