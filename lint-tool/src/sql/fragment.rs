//! Texts that code completes when it runs: `format!` and builders of queries.

use super::{prose, script};

/// What stands for a part that only the running program knows.
pub(super) const HOLE: &str = "hole__";

/// What may follow a text that ends in the middle: a value, a comparison, the rows of an insert.
const ENDS: [&str; 9] = [
    " 1",
    " = 1",
    " values (1)",
    " x = 1",
    " (1)",
    ")",
    " 1)",
    " x = 1)",
    " select 1",
];

/// The text as a grammar can take it, and where the part begins that was put at its end.
///
/// A text that no end completes is left as it is: it may still begin like nothing but a statement.
pub(super) fn completed(text: &str) -> (String, Option<usize>) {
    let plain = without_holes(text, HOLE);
    if script::is_whole(&plain) {
        return (plain, None);
    }
    if !prose::has_signs(&plain, None) {
        return (plain, None);
    }
    // A hole may also stand for a list of assignments or conditions.
    let conditions = without_holes(text, "hole__ = 1");
    for text in [&plain, &conditions] {
        if script::is_whole(text) {
            return (text.clone(), None);
        }
        let text = text.trim_end();
        let whole = ENDS.iter().map(|end| format!("{text}{end}"));
        if let Some(whole) = whole.into_iter().find(|it| script::is_whole(it)) {
            return (whole, Some(text.len()));
        }
    }
    (plain, None)
}

/// Puts a word where `{name}` stands.
fn without_holes(text: &str, word: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        let is_name = |it: &str| {
            it.chars()
                .all(|it| it.is_alphanumeric() || "_.:#?".contains(it))
        };
        match after.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((_, after)) => {
                plain.push_str(word);
                rest = after;
            }
            None => {
                plain.push('{');
                rest = after;
            }
        }
    }
    plain + rest
}
