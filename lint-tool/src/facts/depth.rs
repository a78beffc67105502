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

/// A look at the bytes, as walking tokens costs: brackets that drift apart (some stand in strings),
/// many `<`, or signs without a word between them.
fn may_be_deep(text: &str) -> bool {
    let (mut depth, mut angles, mut run, mut longest) = (0_i32, 0, 0, 0);
    for byte in text.bytes() {
        run = if byte.is_ascii_alphanumeric() {
            0
        } else {
            run + 1
        };
        longest = longest.max(run);
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b'<' => angles += 1,
            _ => continue,
        }
        if depth.unsigned_abs() as usize > LIMIT / 4 {
            return true;
        }
    }
    longest > LIMIT || angles > LIMIT
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
