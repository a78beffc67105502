//! A part of a text, or what matches replaced, with a regular expression.
//!
//! **Invariant:** linear time. One match is; replacing stops after [`MAX_MATCHES`] of them, as
//! the search for each may read to the end of the text.

use std::borrow::Cow;

use regex::{Captures, Regex as Expression, RegexBuilder};
use schema::mapping::{Otherwise, Transform};

use super::{CompiledTransform, Fault, MAX_TEXT, no_nul, too_long, unknown};
use crate::{Cell, quote::quoted};

const MAX_PATTERN: usize = 1_000;
/// Bytes of the compiled expression, and of its cache.
const MAX_COMPILED: usize = 1 << 20;
const MAX_MATCHES: usize = 1_000;

#[derive(Debug)]
pub(super) struct Regex {
    expression: Expression,
    make: Make,
    otherwise: Otherwise,
}

#[derive(Debug)]
enum Make {
    /// The group of that number.
    Group(usize),
    Replaced(String),
}

pub(super) fn compile(transform: &Transform) -> Result<Regex, Fault> {
    let Transform::Regex {
        pattern,
        group,
        replace,
        otherwise,
    } = transform
    else {
        unreachable!("is called for this transform alone");
    };
    let expression = expression(pattern)?;
    let make = match (group, replace) {
        (Some(_), Some(_)) => {
            let detail = "stands together with `group`: keep one of them";
            return Err(Fault::of("/replace", detail));
        }
        (_, Some(text)) => {
            no_nul("/replace", text)?;
            check_references(&expression, text)?;
            Make::Replaced(text.clone())
        }
        (group, None) => Make::Group(number(&expression, group.as_deref().unwrap_or("0"))?),
    };
    Ok(Regex {
        expression,
        make,
        otherwise: *otherwise,
    })
}

fn expression(pattern: &str) -> Result<Expression, Fault> {
    if pattern.chars().count() > MAX_PATTERN {
        return Err(Fault::of("/pattern", "is longer than 1,000 characters"));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(50)
        .build();
    built.map_err(|err| {
        let detail = match err {
            regex::Error::CompiledTooBig(_) => {
                "becomes too large: lower its repetitions".to_owned()
            }
            // The last line says what is wrong, those before show the pattern.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                let reason = last.strip_prefix("error: ").unwrap_or(last);
                format!("is not a regular expression: {reason}")
            }
        };
        Fault::of("/pattern", detail)
    })
}

fn number(expression: &Expression, group: &str) -> Result<usize, Fault> {
    let named = expression.capture_names().position(|it| it == Some(group));
    let number = named.or_else(|| group.parse().ok());
    number
        .filter(|it| *it < expression.captures_len())
        .ok_or_else(|| Fault::of("/group", "is no group of the pattern"))
}

/// The groups that a replacement names are there: another one would be empty without a word.
fn check_references(expression: &Expression, by: &str) -> Result<(), Fault> {
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut rest = by;
    while let Some((_, after)) = rest.split_once('$') {
        if let Some(after) = after.strip_prefix('$') {
            rest = after;
            continue;
        }
        let braced = after.strip_prefix('{').and_then(|it| it.split_once('}'));
        let end = after.find(|it| !is_word(it)).unwrap_or(after.len());
        let (name, after) = braced.unwrap_or(after.split_at(end));
        rest = after;
        if !name.is_empty() && number(expression, name).is_err() {
            let detail = format!(
                "`${name}` is no group of the pattern: write `${{1}}` before letters and digits, and \
                 `$$` for a dollar sign"
            );
            return Err(Fault::of("/replace", detail));
        }
    }
    Ok(())
}

impl CompiledTransform for Regex {
    fn run<'a>(&'a self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        match &self.make {
            Make::Group(group) => self.group(*group, text),
            Make::Replaced(by) => self.replaced(by, text),
        }
    }
}

impl Regex {
    fn group<'a>(&'a self, group: usize, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let found = match group {
            0 => self.expression.find(&text).map(|it| Some(it.range())),
            group => self
                .expression
                .captures(&text)
                .map(|it| it.get(group).map(|it| it.range())),
        };
        let Some(range) = found else {
            return self.no_match(text);
        };
        let Some(range) = range.filter(|it| !it.is_empty()) else {
            return Ok(Cell::Null);
        };
        Ok(Cell::Text(match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
            Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
        }))
    }

    fn replaced<'a>(&'a self, by: &str, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        let mut made = String::with_capacity(text.len());
        let mut from = 0;
        for (index, captures) in self.expression.captures_iter(&text).enumerate() {
            if index == MAX_MATCHES {
                return Err(format!(
                    "{} matches more than 1,000 times: write a pattern that matches longer parts",
                    quoted(&text)
                ));
            }
            let matched = captures.get_match();
            made.push_str(&text[from..matched.start()]);
            expand(&captures, by, &mut made);
            from = matched.end();
            if made.len() > MAX_TEXT.max(text.len()) {
                return Err(too_long());
            }
        }
        if from == 0 && made.is_empty() && !self.expression.is_match(&text) {
            return self.no_match(text);
        }
        made.push_str(&text[from..]);
        Ok(Cell::Text(Cow::Owned(made)))
    }

    fn no_match<'a>(&self, text: Cow<'a, str>) -> Result<Cell<'a>, String> {
        unknown(self.otherwise, text, |text| {
            format!(
                "{} does not match {}: correct it at the source, or the pattern",
                quoted(text),
                quoted(self.expression.as_str())
            )
        })
    }
}

fn expand(captures: &Captures<'_>, by: &str, made: &mut String) {
    if by.contains('$') {
        captures.expand(by, made);
    } else {
        made.push_str(by);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::transforms::testing::{check, check_fault};

    #[test]
    fn a_group_is_taken_by_number_or_name() {
        let of = |group: &str| json!({"kind": "regex", "pattern": r"(?<area>\d+)-(\d+)?", "group": group});
        check(
            &of("0"),
            &[
                ("tel 12-34", "12-34"),
                (
                    "x",
                    r#""x" does not match "(?<area>\\d+)-(\\d+)?": correct it at the source, or the pattern"#,
                ),
            ],
        );
        check(&of("area"), &[("12-34", "12")]);
        check(&of("2"), &[("12-34", "34"), ("12-", "null")]);
    }

    #[test]
    fn every_match_is_replaced() {
        check(
            &json!({"kind": "regex", "pattern": r"(\w+)@(\w+)", "replace": "$2 at ${1}!", "otherwise": "keep"}),
            &[("a@b c@d", "b at a! d at c!"), ("x", "x")],
        );
        check(
            &json!({"kind": "regex", "pattern": "^x", "replace": "", "otherwise": "null"}),
            &[("xy", "y"), ("x", ""), ("y", "null")],
        );
    }

    #[test]
    fn work_is_bounded() {
        let pattern = json!({"kind": "regex", "pattern": "a", "replace": "b"});
        let long = "a".repeat(1_001);
        let want = format!(
            "\"{}\"… matches more than 1,000 times: write a pattern that matches longer parts",
            "a".repeat(80)
        );
        check(&pattern, &[(&long, &want)]);
        check(
            &json!({"kind": "regex", "pattern": "(a*)*b", "otherwise": "null"}),
            &[(&"a".repeat(1 << 20), "null")],
        );
        check(
            &json!({"kind": "regex", "pattern": "(a+)", "replace": "$1".repeat(1 << 10)}),
            &[(
                &"a".repeat(1 << 11),
                "what the mapping makes of it is longer than 64 KiB: let its transforms put in less",
            )],
        );
    }

    #[test]
    fn a_pattern_that_cannot_run_is_refused() {
        let of = |pattern: &str| json!({"kind": "regex", "pattern": pattern});
        check_fault(
            &of("(a"),
            "/pattern: is not a regular expression: unclosed group",
        );
        check_fault(
            &of(r"(a)\1"),
            "/pattern: is not a regular expression: backreferences are not supported",
        );
        check_fault(
            &of(r"((\w{50}){50}){50}"),
            "/pattern: becomes too large: lower its repetitions",
        );
        check_fault(
            &of(&"a".repeat(1_001)),
            "/pattern: is longer than 1,000 characters",
        );
        check_fault(
            &json!({"kind": "regex", "pattern": "a", "group": "1"}),
            "/group: is no group of the pattern",
        );
        check_fault(
            &json!({"kind": "regex", "pattern": "a", "group": "0", "replace": ""}),
            "/replace: stands together with `group`: keep one of them",
        );
    }

    #[test]
    fn a_replacement_names_groups_of_its_pattern() {
        for (pattern, by, name) in [
            ("(a)", "${nope}", "nope"),
            ("(a)", "$9", "9"),
            ("([a-z])", "$1x", "1x"),
        ] {
            check_fault(
                &json!({"kind": "regex", "pattern": pattern, "replace": by}),
                &format!(
                    "/replace: `${name}` is no group of the pattern: write `${{1}}` before letters \
                     and digits, and `$$` for a dollar sign"
                ),
            );
        }
    }
}
