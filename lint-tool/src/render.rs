//! Findings as text. The same report gives the same bytes on each machine.

mod checkstyle;
mod github;
mod human;
mod json;
mod junit;
mod rustc;
mod sarif;
mod xml;

use clap::ValueEnum;

use crate::check::Report;

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the source line and a caret.
    Human,
    /// One finding a line.
    Short,
    /// One versioned document.
    Json,
    /// What `cargo check --message-format=json` writes, for editors.
    RustcJson,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// A test case for each finding.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
}

/// Renders a report.
pub fn render(report: &Report, format: Format) -> String {
    match format {
        Format::Human => human::report(report),
        Format::Short => short(report),
        Format::Json => json::report(report),
        Format::RustcJson => rustc::report(report),
        Format::Sarif => sarif::report(report),
        Format::Github => github::report(report),
        Format::Junit => junit::report(report),
        Format::Checkstyle => checkstyle::report(report),
    }
}

fn short(report: &Report) -> String {
    let lines = report.diagnostics.iter().map(|it| {
        let span = it.place.span;
        format!(
            "{}:{}:{}: {}[{}] {}\n",
            it.place.file,
            span.line,
            span.column,
            human::level(it.level),
            it.code,
            it.message
        )
    });
    lines.collect()
}
