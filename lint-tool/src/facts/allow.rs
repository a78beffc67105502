//! Inline ignores: `// structure-lint: allow(SL011) reason="…" until=2027-03-01`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

/// One ignore comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow {
    pub span: Span,
    pub codes: Vec<String>,
    pub reason: Option<String>,
    pub until: Option<String>,
    /// The line that it speaks of: its own, or the next one with code.
    pub line: u32,
}

const MARK: &str = "structure-lint: allow(";

/// Whether a text has anything to look for.
pub(crate) fn has_any(text: &str) -> bool {
    text.contains(MARK)
}

/// Line and column, from 1.
pub(crate) type Position = (u32, u32);

/// Reads the ignores of a text. `comment` is `//` or `#`; `literals` are the places of string
/// literals, where such a text is data.
pub(crate) fn read(text: &str, comment: &str, literals: &[Range<Position>]) -> Vec<Allow> {
    let lines: Vec<&str> = text.lines().collect();
    let mut allows = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let number = index as u32 + 1;
        let Some(at) = line.find(&format!("{comment} {MARK}")) else {
            continue;
        };
        let column = line[..at].chars().count() as u32 + 1;
        if literals.iter().any(|it| it.contains(&(number, column))) {
            continue;
        }
        let own_line = line[..at].trim().is_empty();
        let next_code = lines.iter().enumerate().skip(index + 1).find(|(_, it)| {
            let it = it.trim();
            !it.is_empty() && !it.starts_with(comment)
        });
        let spoken_of = if own_line {
            next_code.map_or(number, |(at, _)| at as u32 + 1)
        } else {
            number
        };
        allows.push(parse(
            &line[at..],
            spoken_of,
            Span {
                line: number,
                column,
                width: line[at..].trim_end().chars().count() as u32,
            },
        ));
    }
    allows
}

fn parse(comment: &str, line: u32, span: Span) -> Allow {
    let rest = comment.split_once(MARK).map_or("", |(_, rest)| rest);
    let (codes, options) = rest.split_once(')').unwrap_or((rest, ""));
    let until = options.split_once("until=").map(|(_, it)| it);
    let reason = options
        .split_once("reason=\"")
        .and_then(|(_, it)| it.split_once('"'));
    Allow {
        span,
        codes: codes
            .split(',')
            .map(|it| it.trim().to_owned())
            .filter(|it| !it.is_empty())
            .collect(),
        reason: reason
            .map(|(it, _)| it.trim().to_owned())
            .filter(|it| !it.is_empty()),
        until: until
            .and_then(|it| it.split_whitespace().next())
            .map(str::to_owned),
        line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignore_speaks_of_its_line_or_the_next_code() {
        let text = "// structure-lint: allow(SL001, SL011) reason=\"old\" until=2027-03-01\n\n// why\nmod a;\nmod b; // structure-lint: allow(SL002)\n";
        let seen = read(text, "//", &[]);
        assert_eq!(seen[0].codes, ["SL001", "SL011"]);
        assert_eq!((seen[0].line, seen[0].reason.as_deref()), (4, Some("old")));
        assert_eq!(seen[0].until.as_deref(), Some("2027-03-01"));
        assert_eq!((seen[1].line, seen[1].reason.as_deref()), (5, None));
        assert_eq!(read(text, "//", &[(1, 1)..(9, 1)]), []);
    }
}
