//! The look of rustc: place, source line, caret, why, and the allowed way.

use std::fmt::Write as _;

use crate::check::Report;
use crate::diagnostic::{Diagnostic, Level, Place};

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Off => "off",
    }
}

pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    for diagnostic in &report.diagnostics {
        text.push_str(&finding(report, diagnostic));
        text.push('\n');
    }
    text.push_str(&summary(report));
    text
}

pub(super) fn finding(report: &Report, it: &Diagnostic) -> String {
    let places = it
        .notes
        .iter()
        .filter_map(|it| it.place.as_ref())
        .chain([&it.place]);
    let margin = places
        .map(|it| it.span.line.to_string().len())
        .max()
        .unwrap_or(1);
    let pad = " ".repeat(margin);
    let mut text = format!("{}[{}]: {}\n", level(it.level), it.code, it.message);
    snippet(&mut text, report, &it.place, "-->", '^', &it.label, margin);
    for note in &it.notes {
        match &note.place {
            Some(place) => snippet(&mut text, report, place, ":::", '-', &note.text, margin),
            None => drop(writeln!(text, "{pad} = note: {}", note.text)),
        }
    }
    if let Some(help) = &it.help {
        let _ = writeln!(text, "{pad} = help: {help}");
    }
    let _ = writeln!(text, "{pad} = more: `structure-lint explain {}`", it.code);
    text
}

fn snippet(
    text: &mut String,
    report: &Report,
    place: &Place,
    arrow: &str,
    mark: char,
    label: &str,
    margin: usize,
) {
    let pad = " ".repeat(margin);
    let span = place.span;
    let line = report
        .lines
        .get(&(place.file.clone(), span.line))
        .map_or("", |it| it.text.as_str());
    // Tabs become one column, so that the caret stands where the span is.
    let line = line.replace('\t', " ");
    let indent = " ".repeat(span.column.saturating_sub(1) as usize);
    let marks = mark.to_string().repeat(span.width.max(1) as usize);
    let _ = writeln!(
        text,
        "{pad}{arrow} {}:{}:{}",
        place.file, span.line, span.column
    );
    let _ = writeln!(
        text,
        "{pad} |\n{:>margin$} | {}",
        span.line,
        line.trim_end()
    );
    let _ = writeln!(
        text,
        "{}",
        format!("{pad} | {indent}{marks} {label}").trim_end()
    );
}

fn summary(report: &Report) -> String {
    let counted =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut parts = vec![
        counted(report.count(Level::Error), "error"),
        counted(report.count(Level::Warn), "warning"),
    ];
    if report.excused > 0 {
        parts.push(format!("{} excused with a reason", report.excused));
    }
    if report.baselined > 0 {
        parts.push(format!("{} known to the baseline", report.baselined));
    }
    format!(
        "structure-lint: {} in {} of {} ({} of {} paths not resolved)\n",
        parts.join(", "),
        counted(report.files, "file"),
        counted(report.crates, "crate"),
        report.unresolved,
        report.paths,
    )
}
