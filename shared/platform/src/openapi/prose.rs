//! Texts as pages show them: viewers break a line where the text has one, and take a summary
//! literally.

use serde_json::Value;

/// Joins the lines of each paragraph, and takes the marks of code out of summaries.
pub(super) fn unwrap(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (&**name, &mut *value) {
                    ("description", Value::String(text)) => *text = join_lines(text),
                    ("summary", Value::String(text)) => {
                        *text = join_lines(text).replace('`', "");
                        // It is a title.
                        if text.ends_with('.') {
                            text.pop();
                        }
                    }
                    _ => unwrap(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap),
        _ => {}
    }
}

/// A list has an item a line.
fn join_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        let begins = line.is_empty() || line.starts_with("- ");
        match (out.is_empty(), begins) {
            (true, _) => {}
            (_, true) => out.push('\n'),
            (_, false) if out.ends_with('\n') => out.push('\n'),
            (_, false) => out.push(' '),
        }
        out.push_str(line);
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_paragraph_is_a_line() {
        for (text, expected) in [
            ("One\ntwo.", "One two."),
            ("One\n two.\n\nThree\nfour.", "One two.\n\nThree four."),
            (
                "These:\n\n- one\n  more\n- two\n\nEnd.",
                "These:\n\n- one more\n- two\n\nEnd.",
            ),
            ("These:\n- one", "These:\n- one"),
            ("", ""),
        ] {
            assert_eq!(join_lines(text), expected);
        }
    }

    #[test]
    fn a_summary_is_a_title() {
        let mut document =
            json!({"get": {"summary": "Reads `a`\nfrom `b`.", "description": "`a`\nb."}});
        unwrap(&mut document);
        let expected = json!({"get": {"summary": "Reads a from b", "description": "`a` b."}});
        assert_eq!(document, expected);
    }
}
