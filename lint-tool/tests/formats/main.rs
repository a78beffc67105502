//! What other tools read is what their own definitions say: OASIS's schema for SARIF, and for the
//! messages of cargo the crate that rust-analyzer reads them with, and cargo itself.

// `allow-unwrap-in-tests` does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use cargo_metadata::Message;
use serde_json::Value;
use structure_lint::check::{Report, check_files};
use structure_lint::config::{Config, FILE_NAME};
use structure_lint::files::SourceFiles;
use structure_lint::rules::RULES;
use structure_lint::{Format, render};

/// What the rules say of the first bad example of each.
fn reports() -> Vec<(&'static str, Report)> {
    let report = |text: &str| {
        let files = SourceFiles::fixture(text);
        let mut config = Config::parse(files.get(FILE_NAME).unwrap_or_default()).unwrap();
        config.strict.get_or_insert(true);
        check_files(&files, &config, "2026-11-22".parse().unwrap()).unwrap()
    };
    let examples = RULES.iter().map(|rule| {
        let bad = rule.explain().split("```bad\n").nth(1).unwrap();
        let report = report(bad.split("```").next().unwrap());
        let fires = report.diagnostics.iter().any(|it| it.code == rule.code());
        assert!(fires, "{}", rule.code());
        (rule.code(), report)
    });
    let clean = report("//- src/lib.rs\n");
    assert!(clean.diagnostics.is_empty());
    let odd = report("//- src/lib.rs\n//- src/ä b.rs\n");
    assert_eq!(odd.diagnostics[0].place.file, "src/ä b.rs");
    let more = [("no finding", clean), ("an odd path", odd)];
    examples.chain(more).collect()
}

#[test]
fn sarif_of_every_finding_is_valid() {
    // As it is shipped, but for a `]` too many in the pattern of languages, which strict readers refuse.
    let schema = include_str!("sarif-schema-2.1.0.json").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft7::options().should_validate_formats(true);
    let validator = validator.build(&schema).unwrap();
    for (code, report) in reports() {
        let document = serde_json::from_str(&render(&report, Format::Sarif)).unwrap();
        let errors = validator.iter_errors(&document);
        let errors: Vec<String> = errors
            .map(|it| format!("{}: {it}", it.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{code}: {}", errors.join("\n"));
        let results = document["runs"][0]["results"].as_array().unwrap().len();
        assert_eq!(results, report.diagnostics.len());
    }
    // The schema must be able to say no.
    let wrong = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": {} }] });
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn rust_analyzers_parser_reads_every_message() {
    for (code, report) in reports() {
        let text = render(&report, Format::RustcJson);
        let messages: Vec<Message> = Message::parse_stream(text.as_bytes())
            .map(|it| it.unwrap())
            .collect();
        let (last, findings) = messages.split_last().unwrap();
        assert!(matches!(last, Message::BuildFinished(_)), "{code}");
        assert_eq!(findings.len(), report.diagnostics.len());
        for (message, finding) in findings.iter().zip(&report.diagnostics) {
            let Message::CompilerMessage(message) = message else {
                panic!("{code}: {message:?}");
            };
            let span = &message.message.spans[0];
            assert_eq!(span.file_name, finding.place.file);
            assert_eq!(span.line_start, finding.place.span.line as usize);
            assert!(span.byte_start <= span.byte_end && span.is_primary);
            assert_eq!(message.message.code.as_ref().unwrap().code, finding.code);
        }
    }
}

#[test]
fn messages_have_the_keys_that_cargo_writes() {
    let theirs = cargo_check();
    let (_, report) = &reports()[0];
    let ours = render(report, Format::RustcJson);
    let ours: Vec<Value> = ours
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let mut missing = Vec::new();
    for reason in ["compiler-message", "build-finished"] {
        let of = |all: &[Value]| all.iter().find(|it| it["reason"] == reason).cloned();
        let (theirs, ours) = (of(&theirs).unwrap(), of(&ours).unwrap());
        compare(reason, &theirs, &ours, &mut missing);
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Every key of `theirs` is in `ours` with the same type. What may be null is null in one of them.
fn compare(at: &str, theirs: &Value, ours: &Value, missing: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            for (key, value) in theirs {
                let at = format!("{at}.{key}");
                match ours.get(key) {
                    Some(own) => compare(&at, value, own, missing),
                    None => missing.push(at),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                compare(at, theirs, ours, missing);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ if std::mem::discriminant(theirs) == std::mem::discriminant(ours) => {}
        _ => missing.push(format!("{at}: cargo writes {theirs}, we write {ours}")),
    }
}

/// What cargo says of a small crate that does not build.
fn cargo_check() -> Vec<Value> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken");
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(root.join("src")).unwrap();
    // A workspace of its own, wherever the folder is.
    let manifest = "[package]\nname = \"broken\"\nedition = \"2024\"\n[workspace]\n";
    std::fs::write(root.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(
        root.join("src/lib.rs"),
        "pub fn f() -> u8 {\n    \"text\"\n}\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--message-format=json"])
        .env("CARGO_TARGET_DIR", root.join("target"))
        .current_dir(&root)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines();
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}
