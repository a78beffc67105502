//! Findings as text. The same report gives the same bytes on each machine.

mod human;
mod json;
mod sarif;

use clap::ValueEnum;

use crate::engine::Report;

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the source line and a caret.
    Human,
    /// One finding a line.
    Short,
    /// One versioned document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Renders a report.
pub fn render(report: &Report, format: Format) -> String {
    match format {
        Format::Human => human::report(report),
        Format::Short => short(report),
        Format::Json => json::report(report),
        Format::Sarif => sarif::report(report),
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
