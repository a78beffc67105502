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
    /// Words of one statement that something follows of which they are the head.
    heads: usize,
}

const HEADS: [&str; 14] = [
    "async", "await", "break", "const", "dyn", "else", "fn", "impl", "let", "move", "mut",
    "return", "unsafe", "yield",
];

/// So many heads are one chain, which needs less of a stack than groups do.
const CHAIN: usize = 5 * LIMIT;

impl Open {
    fn follows(&self, sign: &Punct) -> bool {
        self.before
            .is_some_and(|it| it.end() == sign.span().start())
    }
}

/// The place that is nested deeper than the limit.
pub(super) fn too_deep(tokens: &TokenStream) -> Option<Span> {
    let open = |tokens| Open {
        tokens,
        angles: 0,
        before: None,
        signs: 0,
        heads: 0,
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
                    ';' => (top.angles, top.heads) = (0, 0),
                    ',' => top.heads = 0,
                    '=' | '|' => top.heads += 1,
                    _ => {}
                }
            }
            TokenTree::Ident(it) => {
                top.signs = 0;
                top.heads += usize::from(HEADS.iter().any(|head| it == head));
            }
            _ => top.signs = 0,
        }
        if top.angles.max(top.signs).max(depth) > LIMIT || top.heads > CHAIN {
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
