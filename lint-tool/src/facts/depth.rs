//! How deep a text is nested: parsers of trees recurse, and a stack ends.

use proc_macro2::{Delimiter, Punct, Span, TokenStream, TokenTree, token_stream};

/// More than any person or generator of code needs, less than the stack of a thread holds.
pub(super) const LIMIT: usize = 1_000;

/// One open group.
struct Open {
    tokens: token_stream::IntoIter,
    /// `<` directly after a name that no `>` has closed. A comparison has a space there.
    angles: usize,
    /// The name or colon before.
    before: Option<Span>,
    /// Signs in a row, such as `!!!`, each of which may be an operator before the next.
    signs: usize,
}

impl Open {
    fn follows(&self, sign: &Punct) -> bool {
        self.before
            .is_some_and(|it| it.end() == sign.span().start())
    }
}

/// A look at the bytes, as walking tokens costs: deep brackets, many `<`, or signs without a word
/// between them. Strings, characters and comments are stepped over, so that no bracket in them counts.
fn may_be_deep(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut depth, mut angles, mut run, mut longest) = (0_usize, 0, 0, 0);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\'' | b'/') {
            let end = quoted(bytes, at);
            if end > at {
                // A comment between two signs parts them no more than a space does.
                run = if byte == b'/' { run } else { 0 };
                at = end;
                continue;
            }
        }
        run = if byte.is_ascii_alphanumeric() {
            0
        } else {
            run + 1
        };
        longest = longest.max(run);
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'<' => angles += 1,
            _ => {}
        }
        if depth > LIMIT / 4 {
            return true;
        }
        at += 1;
    }
    longest > LIMIT || angles > LIMIT
}

/// The end of the string, character or comment that begins at `at`; `at` where none does.
fn quoted(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let length = match rest {
        [b'/', b'/', ..] => rest.iter().position(|it| *it == b'\n'),
        [b'/', b'*', ..] => Some(comment(rest)),
        [b'"', ..] if hashes_before(bytes, at).is_none() => Some(escaped(rest, b'"')),
        [b'"', ..] => {
            let hashes = hashes_before(bytes, at).unwrap_or_default();
            let is_end = |it: &[u8]| it[0] == b'"' && it[1..].iter().all(|it| *it == b'#');
            let found = rest[1..].windows(hashes + 1).position(is_end);
            found.map(|it| it + hashes + 2)
        }
        [b'\'', b'\\', ..] => Some(escaped(rest, b'\'')),
        // One character and a quote; anything else is a lifetime.
        [b'\'', ..] => {
            let close = rest.iter().skip(2).take(4).position(|it| *it == b'\'');
            let close = close.map(|it| it + 2);
            let one = |it: &usize| {
                let text = std::str::from_utf8(&rest[1..*it]);
                text.is_ok_and(|it| it.chars().count() == 1)
            };
            close.filter(one).map_or(Some(0), |it| Some(it + 1))
        }
        _ => Some(0),
    };
    at + length.unwrap_or(rest.len())
}

/// How many `#` stand between `r` and a quote; `None` where the quote begins no raw string.
fn hashes_before(bytes: &[u8], quote: usize) -> Option<usize> {
    let hashes = bytes[..quote].iter().rev().take_while(|it| **it == b'#');
    let hashes = hashes.count();
    let before = &bytes[..quote - hashes];
    let is_name = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_' || *it >= 0x80;
    let word = before.iter().rev().take_while(|it| is_name(it)).count();
    let word = &before[before.len() - word..];
    [&b"r"[..], b"br", b"cr"].contains(&word).then_some(hashes)
}

/// The length of a text in quotes that may hold escaped ones.
fn escaped(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a comment, which may hold others.
fn comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The place that is nested deeper than the limit.
pub(super) fn too_deep(text: &str, tokens: &TokenStream) -> Option<Span> {
    if !may_be_deep(text) {
        return None;
    }
    let open = |tokens| Open {
        tokens,
        angles: 0,
        before: None,
        signs: 0,
    };
    let mut stack = vec![open(tokens.clone().into_iter())];
    while !stack.is_empty() {
        let depth = stack.len();
        let top = &mut stack[depth - 1];
        let Some(token) = top.tokens.next() else {
            stack.pop();
            continue;
        };
        match &token {
            TokenTree::Punct(it) => {
                top.signs += 1;
                match it.as_char() {
                    '<' if top.follows(it) => top.angles += 1,
                    '>' => top.angles = top.angles.saturating_sub(1),
                    ';' => top.angles = 0,
                    _ => {}
                }
            }
            _ => top.signs = 0,
        }
        if top.angles.max(top.signs).max(depth) > LIMIT {
            return Some(token.span());
        }
        top.before = match &token {
            TokenTree::Ident(it) => Some(it.span()),
            TokenTree::Punct(it) if it.as_char() == ':' => Some(it.span()),
            _ => None,
        };
        if let TokenTree::Group(group) = token {
            if group.delimiter() == Delimiter::Brace {
                top.angles = 0;
            }
            stack.push(open(group.stream().into_iter()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bracket_in_a_text_or_comment_counts() {
        let quoted = [
            r#"")""#,
            r#""\")""#,
            "r\")\"",
            "r##\"\"#)\"##",
            "br#\")\"#",
            "b')'",
            "')'",
            r"'\'' /*)*/",
            "/* /* */ ) */",
            "// )\n",
            "'é' /*)*/",
        ];
        for text in quoted {
            let deep = format!("({text} 'a ").repeat(LIMIT);
            assert!(may_be_deep(&deep), "{text} hides a bracket");
            let flat = format!("{} a ", text.replace(')', "("));
            assert!(!may_be_deep(&flat.repeat(LIMIT)), "{text} adds a bracket");
        }
    }

    #[test]
    fn a_comment_does_not_part_signs() {
        assert!(may_be_deep(&"!/*a*/ ".repeat(LIMIT)));
        assert!(!may_be_deep(&"!\"a\" ".repeat(LIMIT)));
    }
}
