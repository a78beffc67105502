//! JUnit's XML: a failed test for each error, a skipped one for each warning.

use super::xml::escape;
use crate::check::Report;
use crate::diagnostic::{Diagnostic, Level};

pub(super) fn report(report: &Report) -> String {
    let (errors, warnings) = (report.count(Level::Error), report.count(Level::Warn));
    // A suite without a test counts as one that did not run.
    let cases: String = if report.diagnostics.is_empty() {
        "    <testcase classname=\"workspace\" name=\"structure\"/>\n".into()
    } else {
        report.diagnostics.iter().map(case).collect()
    };
    let counts = format!(
        "tests=\"{}\" failures=\"{errors}\" skipped=\"{warnings}\" errors=\"0\"",
        report.diagnostics.len().max(1)
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  \
         <testsuite name=\"structure-lint\" {counts}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(it: &Diagnostic) -> String {
    let span = it.place.span;
    let name = format!("{} {}:{}", it.code, span.line, span.column);
    let element = match it.level {
        Level::Error => "failure type=\"error\"",
        _ => "skipped",
    };
    format!(
        "    <testcase classname=\"{}\" name=\"{name}\">\n      <{element} message=\"{}\"/>\n    </testcase>\n",
        escape(&it.place.file),
        escape(&it.message),
    )
}
