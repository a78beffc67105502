//! What `cargo check --message-format=json` writes: rust-analyzer's `check.overrideCommand` reads it.

use serde_json::{Value, json};

use super::human;
use crate::check::Report;
use crate::diagnostic::{Diagnostic, Level, Place};

pub(super) fn report(report: &Report) -> String {
    let messages = report.diagnostics.iter().map(|it| message(report, it));
    let success = report.count(Level::Error) == 0;
    let end = json!({ "reason": "build-finished", "success": success });
    messages.chain([end]).map(|it| format!("{it}\n")).collect()
}

fn message(report: &Report, it: &Diagnostic) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "reason": "compiler-message",
        "package_id": format!("structure-lint@{version}"),
        "manifest_path": "Cargo.toml",
        "target": {
            "kind": ["bin"],
            "crate_types": ["bin"],
            "name": "structure-lint",
            "src_path": it.place.file,
            "edition": "2024",
            "doc": false,
            "doctest": false,
            "test": false,
        },
        "message": diagnostic(report, it),
    })
}

fn diagnostic(report: &Report, it: &Diagnostic) -> Value {
    let mut children: Vec<Value> = it
        .notes
        .iter()
        .map(|note| {
            let spans = note.place.iter();
            let spans: Vec<Value> = spans.map(|place| span(report, place, &note.text)).collect();
            child("note", &note.text, spans)
        })
        .collect();
    children.extend(it.help.iter().map(|help| child("help", help, Vec::new())));
    json!({
        "$message_type": "diagnostic",
        "message": it.message,
        "code": { "code": it.code, "explanation": null },
        "level": human::level(it.level),
        "spans": [span(report, &it.place, &it.label)],
        "children": children,
        "rendered": human::finding(report, it),
    })
}

fn child(level: &str, message: &str, spans: Vec<Value>) -> Value {
    json!({
        "message": message,
        "code": null,
        "level": level,
        "spans": spans,
        "children": [],
        "rendered": null,
    })
}

fn span(report: &Report, place: &Place, label: &str) -> Value {
    let at = place.span;
    let line = report.lines.get(&(place.file.clone(), at.line)).cloned();
    let line = line.unwrap_or_default();
    let bytes = |columns: u32| {
        let before = line.text.chars().take(columns as usize);
        line.start + before.map(char::len_utf8).sum::<usize>()
    };
    let start = at.column.saturating_sub(1);
    let end = at.column + at.width;
    json!({
        "file_name": place.file,
        "byte_start": bytes(start),
        "byte_end": bytes(start + at.width),
        "line_start": at.line,
        "line_end": at.line,
        "column_start": at.column,
        "column_end": end,
        "is_primary": true,
        "text": [{ "text": line.text, "highlight_start": at.column, "highlight_end": end }],
        "label": Some(label).filter(|it| !it.is_empty()),
        "suggested_replacement": null,
        "suggestion_applicability": null,
        "expansion": null,
    })
}
