//! Checkstyle's XML, which many review tools read.

use super::human::level;
use super::xml::escape;
use crate::check::Report;

pub(super) fn report(report: &Report) -> String {
    let mut text =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n".to_owned();
    // Findings are sorted by place, so that those of a file stand together.
    for findings in report
        .diagnostics
        .chunk_by(|one, next| one.place.file == next.place.file)
    {
        let file = escape(&findings[0].place.file);
        text.push_str(&format!("  <file name=\"{file}\">\n"));
        for it in findings {
            text.push_str(&format!(
                "    <error line=\"{}\" column=\"{}\" severity=\"{}\" message=\"{}\" source=\"structure-lint.{}\"/>\n",
                it.place.span.line,
                it.place.span.column,
                level(it.level),
                escape(&it.message),
                it.code,
            ));
        }
        text.push_str("  </file>\n");
    }
    text + "</checkstyle>\n"
}
