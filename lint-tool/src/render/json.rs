//! One document with a version; a new key does not change it, a changed one does.

use serde::Serialize;

use crate::check::Report;

#[derive(Serialize)]
struct Document<'a> {
    version: u8,
    #[serde(flatten)]
    report: &'a Report,
}

pub(super) fn report(report: &Report) -> String {
    let text = serde_json::to_string_pretty(&Document { version: 1, report });
    text.map(|it| it + "\n")
        .expect("a report is strings and numbers")
}
