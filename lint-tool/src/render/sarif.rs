//! SARIF 2.1.0. A fingerprint has no line number, so that a finding stays the same one when it moves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::check::Report;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::rules::RULES;

pub(super) fn report(report: &Report) -> String {
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = report
        .diagnostics
        .iter()
        .map(|it| result(it, &mut seen))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "structure-lint",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|it| rule(it.code(), it.name(), it.explain(), it.level())).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(code: &str, name: &str, explain: &str, level: Level) -> Value {
    json!({
        "id": code,
        "name": name,
        "defaultConfiguration": { "level": self::level(level) },
        "shortDescription": { "text": explain.lines().next().unwrap_or_default() },
        "help": { "text": explain, "markdown": explain },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Off => "none",
    }
}

/// `seen` counts equal findings of a file, so that each has a fingerprint of its own.
fn result(it: &Diagnostic, seen: &mut BTreeMap<String, usize>) -> Value {
    let key = format!("{} {} {}", it.code, it.place.file, it.message);
    let count = seen.entry(key.clone()).or_default();
    *count += 1;
    let related: Vec<Value> = it
        .notes
        .iter()
        .filter_map(|note| {
            let mut location = location(note.place.as_ref()?);
            location["message"] = json!({ "text": note.text });
            Some(location)
        })
        .collect();
    let help = it
        .help
        .as_ref()
        .map(|it| format!("; {it}"))
        .unwrap_or_default();
    json!({
        "ruleId": it.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code() == it.code),
        "level": level(it.level),
        "message": { "text": format!("{}{help}", it.message) },
        "locations": [location(&it.place)],
        "relatedLocations": related,
        "partialFingerprints": { "structureLint/v1": format!("{key} {count}") },
    })
}

fn location(place: &Place) -> Value {
    let span = place.span;
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.file), "uriBaseId": "%SRCROOT%" },
        "region": {
            "startLine": span.line,
            "startColumn": span.column,
            "endColumn": span.column + span.width,
        },
    } })
}

/// A path as a reference of RFC 3986: other bytes than these are written as numbers.
fn uri(path: &str) -> String {
    let part = |byte: u8| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    path.bytes().map(part).collect()
}
