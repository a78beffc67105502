//! The tokens of a file without its blanks and comments, their partners and their places.

use std::borrow::Cow;
use std::ops::Range;

use ra_ap_parser::{Edition, Input, LexedStr, SyntaxKind as K};

use crate::diagnostic::Span;
use crate::facts::Segment;
use crate::facts::depth::LIMIT;

/// What `syn` takes for keywords.
const EDITION: Edition = Edition::Edition2021;

/// Tokens by number.
pub(super) struct Tokens<'a> {
    text: &'a str,
    kinds: Vec<K>,
    ranges: Vec<(u32, u32)>,
    /// The closing bracket of each opening one.
    partners: Vec<u32>,
    lines: Vec<u32>,
    is_ascii: bool,
}

impl<'a> Tokens<'a> {
    /// The tokens of a text; none where it has a broken one, or is nested too deep for a parser.
    pub(super) fn read(text: &'a str) -> Option<Tokens<'a>> {
        let lexed = LexedStr::new(EDITION, text);
        if lexed.errors().next().is_some() {
            return None;
        }
        let mut kinds = Vec::with_capacity(lexed.len());
        let mut ranges = Vec::with_capacity(lexed.len());
        for (at, kind) in (0..lexed.len()).map(|at| (at, lexed.kind(at))) {
            if !kind.is_trivia() {
                kinds.push(kind);
                ranges.push((lexed.text_start(at) as u32, lexed.text_start(at + 1) as u32));
            }
        }
        let newlines = text.bytes().enumerate().filter(|(_, it)| *it == b'\n');
        let lines = newlines.map(|(at, _)| at as u32 + 1);
        let mut tokens = Tokens {
            text,
            partners: vec![0; kinds.len()],
            kinds,
            ranges,
            lines: std::iter::once(0).chain(lines).collect(),
            is_ascii: text.is_ascii(),
        };
        tokens.pair()?;
        Some(tokens)
    }

    /// Finds the partner of each bracket, unless they do not match or something may be nested too deep.
    fn pair(&mut self) -> Option<()> {
        let mut open: Vec<(usize, usize)> = Vec::new();
        // What may recurse without a bracket: `<` that no `>` has closed, `else`, closures, signs in a
        // row, and anything that goes on for long.
        let (mut nested, mut signs, mut chain) = (0_usize, 0_usize, 0_usize);
        for at in 0..self.kinds.len() {
            let kind = self.kinds[at];
            signs = if kind.is_punct() { signs + 1 } else { 0 };
            chain += 1;
            match kind {
                K::L_PAREN | K::L_BRACK | K::L_CURLY => open.push((at, nested)),
                K::R_PAREN | K::R_BRACK | K::R_CURLY => {
                    let (start, before) = open.pop()?;
                    if closes(self.kinds[start]) != kind {
                        return None;
                    }
                    self.partners[start] = at as u32;
                    nested = before;
                }
                K::L_ANGLE | K::PIPE | K::ELSE_KW => nested += 1,
                K::R_ANGLE if !self.is_arrow(at) => nested = nested.saturating_sub(1),
                K::SEMICOLON => nested = open.last().map_or(0, |(_, before)| *before),
                _ => {}
            }
            if matches!(kind, K::SEMICOLON | K::COMMA | K::L_CURLY | K::R_CURLY) {
                chain = 0;
            }
            if (open.len() + nested).max(signs).max(chain / 4) > LIMIT {
                return None;
            }
        }
        open.is_empty().then_some(())
    }

    /// Whether `>` ends `->` or `=>`.
    fn is_arrow(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|it| self.kinds[it]);
        matches!(before, Some(K::MINUS | K::EQ))
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(super) fn kind(&self, at: usize) -> K {
        self.kinds.get(at).copied().unwrap_or(K::EOF)
    }

    pub(super) fn text(&self, at: usize) -> &'a str {
        let (start, end) = self.ranges[at];
        &self.text[start as usize..end as usize]
    }

    /// The text between tokens, as it is written.
    pub(super) fn text_of(&self, range: Range<usize>) -> &'a str {
        if range.is_empty() {
            return "";
        }
        &self.text[self.ranges[range.start].0 as usize..self.ranges[range.end - 1].1 as usize]
    }

    /// Whether it is a name or a keyword.
    pub(super) fn is_word(&self, at: usize) -> bool {
        let kind = self.kind(at);
        kind == K::UNDERSCORE || kind.is_any_identifier()
    }

    pub(super) fn is_open(&self, at: usize) -> bool {
        matches!(self.kind(at), K::L_PAREN | K::L_BRACK | K::L_CURLY)
    }

    pub(super) fn is_close(&self, at: usize) -> bool {
        matches!(self.kind(at), K::R_PAREN | K::R_BRACK | K::R_CURLY)
    }

    /// Whether `::` begins there.
    pub(super) fn is_colons(&self, at: usize) -> bool {
        let is_pair = self.kind(at) == K::COLON && self.kind(at + 1) == K::COLON;
        // In `name: ::path` the first colon stands alone.
        is_pair && self.ranges[at].1 == self.ranges[at + 1].0
    }

    /// What stands between a bracket and its partner.
    pub(super) fn inside(&self, open: usize) -> Range<usize> {
        open + 1..self.partners[open] as usize
    }

    /// The token after this one, or after its partner.
    pub(super) fn after(&self, at: usize) -> usize {
        if self.is_open(at) {
            self.partners[at] as usize + 1
        } else {
            at + 1
        }
    }

    /// The tokens of a range that stand in no bracket of it.
    pub(super) fn first_level(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let first = Some(range.start).filter(|_| !range.is_empty());
        std::iter::successors(first, move |at| {
            Some(self.after(*at)).filter(|it| *it < range.end)
        })
    }

    /// A name without `r#`.
    pub(super) fn plain(&self, at: usize) -> String {
        let text = self.text(at);
        text.strip_prefix("r#").unwrap_or(text).to_owned()
    }

    /// The value of a string literal.
    pub(super) fn string(&self, at: usize) -> Option<Cow<'a, str>> {
        if self.kind(at) != K::STRING {
            return None;
        }
        let text = self.text(at);
        let raw = text.trim_end_matches(|it| it != '"' && it != '#');
        let inner = match raw.strip_prefix('r') {
            Some(raw) => raw.trim_matches('#'),
            None if raw.contains(['\\', '\r']) => {
                let literal = syn::parse_str::<syn::LitStr>(text).ok()?;
                return Some(Cow::Owned(literal.value()));
            }
            None => raw,
        };
        Some(Cow::Borrowed(inner.strip_prefix('"')?.strip_suffix('"')?))
    }

    /// Line and column of a byte, from 1.
    fn position(&self, offset: u32) -> (u32, u32) {
        let line = self.lines.partition_point(|it| *it <= offset);
        let start = self.lines[line - 1];
        let column = if self.is_ascii {
            offset - start
        } else {
            self.text[start as usize..offset as usize].chars().count() as u32
        };
        (line as u32, column + 1)
    }

    pub(super) fn line(&self, at: usize) -> u32 {
        self.position(self.ranges[at].0).0
    }

    /// A token's place on the line where it begins.
    pub(super) fn span(&self, at: usize) -> Span {
        let (line, column) = self.position(self.ranges[at].0);
        let text = self.text(at);
        let width = if text.contains('\n') {
            1
        } else {
            text.chars().count().max(1) as u32
        };
        Span {
            line,
            column,
            width,
        }
    }

    pub(super) fn segment(&self, at: usize) -> Segment {
        Segment {
            name: self.plain(at),
            span: self.span(at),
        }
    }

    /// What the parser takes, between two other brackets if there are any.
    pub(super) fn input(&self, range: Range<usize>, brackets: Option<(K, K)>) -> Input {
        let mut input = Input::with_capacity(range.len() + 2);
        if let Some((open, _)) = brackets {
            input.push(open, EDITION);
        }
        for at in range {
            let kind = self.kinds[at];
            if kind == K::IDENT {
                let word = K::from_contextual_keyword(self.text(at), EDITION);
                input.push_ident(word.unwrap_or(K::IDENT), EDITION);
            } else {
                input.push(kind, EDITION);
                if self.is_joint(at) {
                    input.was_joint();
                }
            }
        }
        if let Some((_, close)) = brackets {
            input.push(close, EDITION);
        }
        input
    }

    /// Whether a sign touches the next one. A number says so whether digits follow its point.
    fn is_joint(&self, at: usize) -> bool {
        if self.kinds[at] == K::FLOAT_NUMBER {
            return !self.text(at).ends_with('.');
        }
        let next = self.ranges.get(at + 1);
        next.is_some_and(|it| it.0 == self.ranges[at].1)
    }
}

fn closes(open: K) -> K {
    match open {
        K::L_PAREN => K::R_PAREN,
        K::L_BRACK => K::R_BRACK,
        _ => K::R_CURLY,
    }
}
