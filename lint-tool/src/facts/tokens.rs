//! Paths in tokens that are no syntax tree: macro arguments and `macro_rules` bodies.

use proc_macro2::{Delimiter, Ident, Literal, Spacing, TokenStream, TokenTree};

use super::Segment;
use super::extract::segment;

/// What a scan of tokens finds.
pub(super) enum Found {
    Path {
        segments: Vec<Segment>,
        leading_colon: bool,
    },
    /// `name!(…)` with its tokens.
    Macro {
        name: Ident,
        tokens: TokenStream,
    },
    Literal(Literal),
    /// `mod name;`
    Mod(String),
    /// `{ … }` in macro arguments, which may be a syntax tree though the whole is none.
    Braces(TokenStream),
    /// `path = "…"` directly inside `#[…]`.
    PathAttr(Literal),
}

/// Calls `found` for each path, macro call and literal, in order. With `braces` it leaves what stands
/// in braces to the caller.
pub(super) fn scan(tokens: TokenStream, braces: bool, found: &mut dyn FnMut(Found)) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                if let Some(literal) = path_attr(&tokens, at) {
                    found(Found::PathAttr(literal));
                }
                if braces && group.delimiter() == Delimiter::Brace {
                    found(Found::Braces(group.stream()));
                } else {
                    scan(group.stream(), braces, found);
                }
                at += 1;
            }
            TokenTree::Literal(literal) => {
                found(Found::Literal(literal.clone()));
                at += 1;
            }
            TokenTree::Ident(_) => {
                at = path_at(&tokens, at, found);
                // Its argument is text, not code.
                if macro_call(&tokens, at).is_some_and(|(name, _)| name == "stringify") {
                    at += 2;
                }
            }
            // The name of a lifetime begins no path.
            TokenTree::Punct(it) => at += if it.as_char() == '\'' { 2 } else { 1 },
        }
    }
}

/// Reads `a::b::c` from `at` on, and says where it ends.
fn path_at(tokens: &[TokenTree], start: usize, found: &mut dyn FnMut(Found)) -> usize {
    let mut segments = Vec::new();
    let mut at = start;
    // `as ::a::b`: the path begins after the word.
    if matches!(&tokens[start], TokenTree::Ident(it) if is_keyword(&it.to_string())) {
        return start + 1;
    }
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        segments.push(segment(ident));
        at += 1;
        if !is_colons(tokens, at) {
            break;
        }
        at += 2;
    }
    // `a::{b, c}`, `a::*` and `a::$name` are paths too, of one segment less.
    let is_turbofish = matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == '<');
    let goes_on = is_colons(tokens, at.saturating_sub(2)) && at > start + 1;
    let is_path = segments.len() > 1 || goes_on && !is_turbofish;
    let leading_colon =
        start >= 2 && is_colons(tokens, start - 2) && !follows_name(tokens, start - 2);
    if let Some(name) = module_at(tokens, start) {
        found(Found::Mod(name));
    }
    if let Some((name, group)) = macro_call(tokens, at) {
        found(Found::Macro {
            name,
            tokens: group,
        });
    }
    if (is_path || leading_colon) && !is_part(tokens, start) {
        found(Found::Path {
            segments,
            leading_colon,
        });
    }
    at.max(start + 1)
}

/// Whether the name is a method, a field or a macro's variable rather than the start of a path.
fn is_part(tokens: &[TokenTree], start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| tokens.get(at));
    match before {
        Some(TokenTree::Punct(it)) if it.as_char() == '.' => true,
        // `#name` in `quote!`; an attribute has brackets.
        Some(TokenTree::Punct(it)) if it.as_char() == '#' => true,
        Some(TokenTree::Punct(it)) if it.as_char() == '$' => {
            !matches!(&tokens[start], TokenTree::Ident(name) if name == "crate")
        }
        _ => false,
    }
}

/// `name ! ( … )` that ends before the group at `at + 1`.
fn macro_call(tokens: &[TokenTree], at: usize) -> Option<(Ident, TokenStream)> {
    match (
        tokens.get(at.checked_sub(1)?)?,
        tokens.get(at)?,
        tokens.get(at + 1)?,
    ) {
        (TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(group))
            if bang.as_char() == '!' =>
        {
            Some((name.clone(), group.stream()))
        }
        _ => None,
    }
}

/// `mod name ;` from `at` on.
fn module_at(tokens: &[TokenTree], at: usize) -> Option<String> {
    match (tokens.get(at)?, tokens.get(at + 1)?, tokens.get(at + 2)?) {
        (TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end))
            if word == "mod" && end.as_char() == ';' =>
        {
            Some(plain(name))
        }
        _ => None,
    }
}

/// Whether a macro's rules hold `mod $name`.
pub(super) fn makes_modules(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_made = tokens.windows(2).any(|it| {
        matches!(it, [TokenTree::Ident(word), TokenTree::Punct(sign)] if word == "mod" && sign.as_char() == '$')
    });
    is_made
        || tokens
            .iter()
            .any(|it| matches!(it, TokenTree::Group(it) if makes_modules(&it.stream())))
}

/// The names among macro arguments that are no part of a path.
pub(super) fn idents(tokens: &TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let alone = tokens.iter().enumerate().filter_map(|(at, it)| match it {
        TokenTree::Ident(name) if !is_colons(&tokens, at + 1) && !is_lifetime(&tokens, at) => {
            Some(plain(name))
        }
        _ => None,
    });
    alone.collect()
}

/// Macro arguments without the `#![…]` that some macros begin with.
pub(super) fn without_inner_attributes(tokens: TokenStream) -> TokenStream {
    let all: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is = |at: usize, sign: char| matches!(all.get(at), Some(TokenTree::Punct(it)) if it.as_char() == sign);
    let mut at = 0;
    while is(at, '#') && is(at + 1, '!') {
        at += 3;
    }
    if at == 0 {
        tokens
    } else {
        all.into_iter().skip(at).collect()
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    // In `name: ::path` the first colon stands alone.
    let is = |at: usize, joint: bool| {
        matches!(tokens.get(at), Some(TokenTree::Punct(it))
            if it.as_char() == ':' && (!joint || it.spacing() == Spacing::Joint))
    };
    is(at, true) && is(at + 1, false)
}

/// Whether the name at `at` is that of a lifetime.
fn is_lifetime(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    matches!(before, Some(TokenTree::Punct(it)) if it.as_char() == '\'')
}

/// Whether `::` at `at` continues something: `Vec<T>::new`, `$path::new`.
fn follows_name(tokens: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| tokens.get(before)) {
        Some(TokenTree::Punct(it)) => it.as_char() == '>',
        Some(TokenTree::Ident(it)) => !is_keyword(&it.to_string()) && !is_lifetime(tokens, at - 1),
        Some(_) => true,
        None => false,
    }
}

/// The names of a list that are no part of a path.
pub(super) fn alone(tokens: &TokenStream) -> Vec<Ident> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_colon = |at: Option<usize>| {
        let token = at.and_then(|it| tokens.get(it));
        matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == ':')
    };
    let names = tokens.iter().enumerate().filter_map(|(at, it)| match it {
        TokenTree::Ident(it) if !is_colon(at.checked_sub(1)) && !is_colon(Some(at + 1)) => {
            Some(it.clone())
        }
        _ => None,
    });
    names.collect()
}

pub(super) fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "use" | "in" | "as" | "return" | "match" | "if" | "for" | "impl" | "dyn" | "mut" | "where"
    )
}

fn path_attr(tokens: &[TokenTree], at: usize) -> Option<Literal> {
    let TokenTree::Group(group) = &tokens[at] else {
        return None;
    };
    let hash =
        matches!(tokens.get(at.checked_sub(1)?), Some(TokenTree::Punct(it)) if it.as_char() == '#');
    if !hash || group.delimiter() != Delimiter::Bracket {
        return None;
    }
    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
    match inner.as_slice() {
        [
            TokenTree::Ident(key),
            TokenTree::Punct(_),
            TokenTree::Literal(value),
        ] if key == "path" => Some(value.clone()),
        _ => None,
    }
}

/// An identifier without `r#`.
pub(super) fn plain(ident: &Ident) -> String {
    let mut name = ident.to_string();
    if name.starts_with("r#") {
        name.drain(..2);
    }
    name
}
