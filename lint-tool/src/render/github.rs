//! Workflow commands of GitHub Actions: an annotation on the line of each finding.

use super::human::level;
use crate::check::Report;
use crate::diagnostic::Diagnostic;

pub(super) fn report(report: &Report) -> String {
    report.diagnostics.iter().map(annotation).collect()
}

fn annotation(it: &Diagnostic) -> String {
    let span = it.place.span;
    let help = it.help.as_ref().map(|it| format!("\nhelp: {it}"));
    let message = format!("{}{}", it.message, help.unwrap_or_default());
    format!(
        "::{} file={},line={},col={},endColumn={},title={}::{}\n",
        level(it.level),
        property(&it.place.file),
        span.line,
        span.column,
        span.column + span.width,
        it.code,
        data(&message),
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
