//! The sources in a text.

use std::borrow::Cow;

use schema::mapping::Missing;

use super::{Combination, Compiled, Fault, MAX_TEXT, concat::one_is_missing, no_nul, too_long};

#[derive(Debug)]
struct Template {
    pieces: Vec<Piece>,
    missing: Missing,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    /// The place of a source in the list.
    Source(usize),
}

pub(super) fn compile(
    template: &str,
    missing: Missing,
    sources: &[String],
) -> Result<Compiled, Fault> {
    no_nul("/template", template)?;
    let pieces = pieces(template, sources).map_err(|it| Fault::of("/template", it))?;
    let is_named = |index: usize| {
        pieces
            .iter()
            .any(|it| matches!(it, Piece::Source(named) if *named == index))
    };
    if let Some(unnamed) = (0..sources.len()).find(|it| !is_named(*it)) {
        let detail = format!(
            "does not name the source `{}`: name it, or take it out of the sources",
            sources[unnamed]
        );
        return Err(Fault::of("/template", detail));
    }
    Ok(Compiled::Combination(Box::new(Template {
        pieces,
        missing,
    })))
}

fn pieces(template: &str, sources: &[String]) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let Some((name, after)) = rest.split_once('}').filter(|_| brace == "{") else {
            return Err(format!("has a single `{brace}`: write `{brace}{brace}`"));
        };
        let Some(source) = sources.iter().position(|it| it == name) else {
            return Err(format!("names `{name}`, which is not among the sources"));
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Source(source));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

impl Combination for Template {
    fn combine<'a>(
        &'a self,
        values: Vec<Option<Cow<'a, str>>>,
    ) -> Result<Option<Cow<'a, str>>, String> {
        if values.iter().all(Option::is_none) && self.missing != Missing::Reject {
            return Ok(None);
        }
        if values.iter().any(Option::is_none) {
            match self.missing {
                Missing::Skip | Missing::Empty => {}
                Missing::Null => return Ok(None),
                Missing::Reject => return Err(one_is_missing()),
            }
        }
        let mut made = String::new();
        for piece in &self.pieces {
            let text = match piece {
                Piece::Text(text) => text,
                Piece::Source(index) => values[*index].as_deref().unwrap_or_default(),
            };
            if made.len() + text.len() > MAX_TEXT {
                return Err(too_long());
            }
            made.push_str(text);
        }
        Ok(Some(Cow::Owned(made)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check_combined, check_fault};

    #[test]
    fn sources_stand_where_they_are_named() {
        check_combined(
            &json!({"kind": "template", "template": "{{{b}}}, {a}{a}"}),
            &[
                (&["x", "y"], "{y}, xx"),
                (&["x", "-"], "{}, xx"),
                (&["-", "-"], "null"),
            ],
        );
        check_combined(
            &json!({"kind": "template", "template": "{a}-{b}", "missing": "null"}),
            &[(&["x", "y"], "x-y"), (&["x", "-"], "null")],
        );
    }

    #[test]
    fn a_template_names_all_sources_and_no_others() {
        let of = |template: &str| json!({"kind": "template", "template": template});
        check_fault(
            &of("{a}"),
            "/template: does not name the source `b`: name it, or take it out of the sources",
        );
        check_fault(
            &of("{a} {c}"),
            "/template: names `c`, which is not among the sources",
        );
        check_fault(&of("{a} {b"), "/template: has a single `{`: write `{{`");
        check_fault(&of("{a} } {b}"), "/template: has a single `}`: write `}}`");
    }
}
