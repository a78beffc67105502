//! Macro calls, `macro_rules` bodies and everything else that is tokens to the compiler too.

use std::ops::Range;

use proc_macro2::TokenStream;
use ra_ap_parser::{SyntaxKind as K, TopEntryPoint};

use super::tree::Tree;
use super::{Fast, paths};
use crate::facts::extract::IncludeText;
use crate::facts::sql_texts::Part;
use crate::facts::{ItemMacro, Name, PathAttr};

const ROUND: Option<(K, K)> = Some((K::L_PAREN, K::R_PAREN));
const CURLY: Option<(K, K)> = Some((K::L_CURLY, K::R_CURLY));

impl Fast<'_> {
    /// A string, which may be SQL.
    pub(super) fn literal(&mut self, token: usize) {
        if self.tokens.kind(token) != K::STRING || !may_be_sql(self.tokens.text(token)) {
            return;
        }
        if let Some(text) = self.tokens.string(token) {
            self.out.sql(&text, || self.tokens.span(token));
        }
    }

    pub(super) fn macro_rules(&mut self, tree: &Tree, at: usize) -> usize {
        for it in tree.children(at).filter(|it| tree.kind(*it) == K::ATTR) {
            self.attribute(tree.tokens(it));
        }
        let body = tree.child(at, K::TOKEN_TREE);
        if let (Some(name), Some(body)) = (tree.name(at), body) {
            let name = self.tokens.plain(name);
            let rules = self.tokens.inside(tree.tokens(body).start);
            self.out.declare(name.clone(), Name::Value);
            if self.attrs(tree, at).has("macro_export") {
                let exported = (name.clone(), self.out.scope);
                self.out.facts.exported_macros.push(exported);
            }
            let is_made =
                |it: usize| self.tokens.text(it) == "mod" && self.tokens.kind(it + 1) == K::DOLLAR;
            if rules.clone().any(is_made) {
                self.out.facts.module_makers.push(name);
            }
            self.quoted(true, |flat| flat.scan(rules, false));
        }
        tree.end(at)
    }

    /// Names that a macro in the place of an item may declare as modules.
    pub(super) fn item_macro(&mut self, tree: &Tree, at: usize) {
        let (Some(path), Some(list)) = (tree.child(at, K::PATH), tree.child(at, K::TOKEN_TREE))
        else {
            return;
        };
        let tokens = self.tokens;
        let inside = tokens.inside(tree.tokens(list).start);
        let words = tokens.first_level(inside).filter(|it| tokens.is_word(*it));
        let alone = words.filter(|it| !tokens.is_colons(it + 1));
        let arguments: Vec<String> = alone.map(|it| tokens.plain(it)).collect();
        if !arguments.is_empty() {
            self.out.facts.item_macros.push(ItemMacro {
                name: tokens.plain(tree.tokens(path).end - 1),
                scope: self.out.scope,
                arguments,
            });
        }
    }

    /// The arguments of a macro call that is a node.
    pub(super) fn macro_of(&mut self, tree: &Tree, list: usize) {
        if tree.place(list) == K::MACRO_CALL {
            let open = tree.tokens(list).start;
            self.macro_call(open - 2, open);
        }
    }

    /// `name!(…)` by its name and its bracket.
    pub(super) fn macro_call(&mut self, name: usize, open: usize) {
        let inside = self.tokens.inside(open);
        match self.tokens.text(name) {
            "stringify" => {}
            "macro_rules" => self.quoted(true, |flat| flat.scan(inside, false)),
            text => {
                // A name of this file hides the one of the prelude, but not `sqlx::migrate`.
                let is_bare = name < 2 || !self.tokens.is_colons(name - 2);
                if !(is_bare && self.out.is_own(&self.tokens.plain(name))) {
                    self.known_macro(name, inside.clone());
                }
                self.quoted(text.contains("quote"), |flat| flat.arguments(inside));
            }
        }
    }

    /// Walks code that is made for elsewhere.
    fn quoted(&mut self, quoted: bool, walk: impl FnOnce(&mut Self)) {
        let before = self.out.quoted;
        self.out.quoted |= quoted;
        walk(self);
        self.out.quoted = before;
    }

    /// Macro arguments: a syntax tree where they are one, tokens where they are not.
    fn arguments(&mut self, range: Range<usize>) {
        let before = self.out.enter_macro();
        let range = self.without_inner_attributes(range);
        if let Some(tree) = self
            .list(range.clone())
            .or_else(|| self.body(range.clone()))
        {
            self.nodes(&tree, 1);
        } else {
            // `syn` takes variants with a visibility, which some macros are given.
            let mut level = self.tokens.first_level(range.clone());
            self.is_doubtful |= level.any(|it| self.tokens.kind(it) == K::ENUM_KW);
            self.scan(range, true);
        }
        self.out.leave_macro(before);
    }

    fn without_inner_attributes(&self, range: Range<usize>) -> Range<usize> {
        let mut start = range.start;
        while start < range.end
            && self.tokens.kind(start) == K::POUND
            && self.tokens.kind(start + 1) == K::BANG
        {
            start = self.tokens.after(start + 2).min(range.end);
        }
        start..range.end
    }

    /// Expressions between commas.
    fn list(&self, range: Range<usize>) -> Option<Tree> {
        let mut level = self.tokens.first_level(range.clone());
        if level.any(|it| matches!(self.tokens.kind(it), K::SEMICOLON | K::DOLLAR)) {
            return None;
        }
        let tree = Tree::parse(self.tokens, range, ROUND, TopEntryPoint::Expr)?;
        matches!(tree.kind(0), K::PAREN_EXPR | K::TUPLE_EXPR).then_some(tree)
    }

    /// Statements.
    fn body(&self, range: Range<usize>) -> Option<Tree> {
        let tree = Tree::parse(self.tokens, range, CURLY, TopEntryPoint::Expr)?;
        (tree.kind(0) == K::BLOCK_EXPR).then_some(tree)
    }

    /// `include*!` and `query_as!`, which say more than their arguments.
    fn known_macro(&mut self, name: usize, inside: Range<usize>) {
        let text = self.tokens.text(name);
        match text {
            "include" | "include_str" | "include_bytes" => {
                let alone = (inside.len() == 1).then_some(inside.start);
                let written = self.tokens.text_of(inside);
                let include = IncludeText {
                    name: text,
                    file: alone
                        .and_then(|it| self.tokens.string(it))
                        .map(|it| it.into_owned()),
                    out_dir: written.contains("\"OUT_DIR\""),
                    span: self.tokens.span(name),
                };
                self.out
                    .include(include, || written.parse::<TokenStream>().ok());
            }
            "concat" => {
                let parts = self.texts(inside);
                self.out.joined(parts);
            }
            "migrate" | "embed_migrations" => {
                let alone = (inside.len() == 1).then_some(inside.start);
                let path = alone.and_then(|it| self.tokens.string(it));
                let path = path.map(|it| it.into_owned());
                self.out.package_path(path, self.tokens.span(name));
            }
            _ if text.starts_with("query_file") => {
                let tree = self.list(inside);
                let mut list = tree.iter().flat_map(|tree| {
                    let literals = tree.children(0).filter(|it| tree.kind(*it) == K::LITERAL);
                    literals.map(|it| tree.tokens(it).start)
                });
                let path = list.find_map(|it| self.tokens.string(it));
                let path = path.map(|it| it.into_owned());
                self.out.package_path(path, self.tokens.span(name));
            }
            "query_as" | "query_as_unchecked" => {
                let Some(tree) = self.list(inside) else {
                    return;
                };
                let mut list = tree.children(0);
                if let (Some(row), Some(query)) = (list.next(), list.next())
                    && tree.kind(row) == K::PATH_EXPR
                {
                    self.row_type(&tree, row + 1, query);
                }
            }
            _ => {}
        }
    }

    /// The arguments of a macro that are literal strings, and nothing for the others.
    fn texts(&self, inside: Range<usize>) -> Vec<Option<Part>> {
        let Some(tree) = self.list(inside) else {
            return Vec::new();
        };
        let parts = tree.children(0).map(|it| {
            let token = tree.tokens(it).start;
            let is_text = tree.kind(it) == K::LITERAL && self.tokens.kind(token) == K::STRING;
            let text = self.tokens.string(token).filter(|_| is_text)?;
            Some((text.into_owned(), self.tokens.span(token)))
        });
        parts.collect()
    }

    /// `query_as::<_, Row>("…")`
    pub(super) fn call(&mut self, tree: &Tree, at: usize) {
        let function = (tree.kind(at + 1) == K::PATH_EXPR).then_some(at + 2);
        let Some(path) = function.filter(|it| tree.kind(*it) == K::PATH) else {
            return;
        };
        let last = self.tokens.text(tree.tokens(path).end - 1);
        let generics = paths::arguments(tree, path).filter(|_| last == ">");
        let Some(generics) = generics else { return };
        let named = self.path_at(tree, path).segments.pop();
        let row = tree.children(generics).last();
        let row =
            row.filter(|it| tree.kind(*it) == K::TYPE_ARG && tree.kind(it + 1) == K::PATH_TYPE);
        let query = tree
            .child(at, K::ARG_LIST)
            .and_then(|it| tree.children(it).next());
        if let (Some(row), Some(query)) = (row, query)
            && named.is_some_and(|it| it.name == "query_as")
        {
            self.row_type(tree, row + 2, query);
        }
    }

    fn row_type(&mut self, tree: &Tree, row: usize, query: usize) {
        if tree.kind(query) == K::LITERAL
            && let Some(text) = self.tokens.string(tree.tokens(query).start)
        {
            let path = self.path_at(tree, row);
            self.out.row(path, &text);
        }
    }

    /// Tokens that are no syntax tree; with `braces`, groups in braces may be one.
    pub(super) fn scan(&mut self, range: Range<usize>, braces: bool) {
        let tokens = self.tokens;
        let mut at = range.start;
        while at < range.end {
            if tokens.is_open(at) {
                self.path_attr(&range, at);
                if braces && tokens.kind(at) == K::L_CURLY {
                    self.arguments(tokens.inside(at));
                    at = tokens.after(at);
                } else {
                    at += 1;
                }
            } else if tokens.is_word(at) {
                at = self.path_from(&range, at);
                let is_call = tokens.kind(at) == K::BANG && tokens.is_open(at + 1);
                // Its argument is text, not code.
                if is_call && tokens.text(at - 1) == "stringify" {
                    at = tokens.after(at + 1);
                }
            } else {
                self.literal(at);
                at += 1;
            }
        }
    }

    /// Reads `a::b::c` from `start` on, and says where it ends.
    fn path_from(&mut self, range: &Range<usize>, start: usize) -> usize {
        let tokens = self.tokens;
        // `as ::a::b`: the path begins after the word.
        if crate::facts::tokens::is_keyword(tokens.text(start)) {
            return start + 1;
        }
        let mut words = vec![start];
        let mut at = start + 1;
        while tokens.is_colons(at) {
            at += 2;
            if !tokens.is_word(at) {
                break;
            }
            words.push(at);
            at += 1;
        }
        let before = |back: usize| start.checked_sub(back).filter(|it| *it >= range.start);
        let leading = before(2).is_some_and(|it| tokens.is_colons(it) && !self.follows(range, it));
        // `a::{b, c}`, `a::*` and `a::$name` are paths too, of one segment less.
        let goes_on = at > start + 1 && tokens.kind(at) != K::L_ANGLE;
        let is_path = leading || words.len() > 1 || goes_on;
        let text = tokens.text(start);
        let is_module = text == "mod" && tokens.is_word(at) && tokens.kind(at + 1) == K::SEMICOLON;
        if is_module {
            self.out.facts.macro_mods.push(tokens.plain(at));
        }
        let is_call = tokens.is_word(at - 1) && tokens.kind(at) == K::BANG;
        if is_call && tokens.is_open(at + 1) && !self.out.is_own(&tokens.plain(at - 1)) {
            self.known_macro(at - 1, tokens.inside(at + 1));
        }
        let is_part = match before(1).map(|it| tokens.kind(it)) {
            // `#name` in `quote!`; an attribute has brackets.
            Some(K::DOT | K::POUND) => true,
            Some(K::DOLLAR) => text != "crate",
            _ => false,
        };
        if is_path && !is_part {
            let segments = words.into_iter().map(|it| tokens.segment(it)).collect();
            let path = self.out.path_ref(segments, leading);
            self.out.facts.paths.push(path);
        }
        at
    }

    /// Whether `::` at `at` continues something: `Vec<T>::new`, `$path::new`.
    fn follows(&self, range: &Range<usize>, at: usize) -> bool {
        let before = at.checked_sub(1).filter(|it| *it >= range.start);
        before.is_some_and(|it| match self.tokens.kind(it) {
            _ if self.tokens.is_open(it) => false,
            K::R_ANGLE => true,
            _ if self.tokens.is_word(it) => !crate::facts::tokens::is_keyword(self.tokens.text(it)),
            kind => self.tokens.is_close(it) || kind.is_literal(),
        })
    }

    /// `path = "…"` directly inside `#[…]`.
    fn path_attr(&mut self, range: &Range<usize>, open: usize) {
        let tokens = self.tokens;
        let inside = tokens.inside(open);
        let value = inside.start + 2;
        let is_attr = open > range.start
            && tokens.kind(open - 1) == K::POUND
            && tokens.kind(open) == K::L_BRACK
            && inside.len() == 3
            && tokens.text(inside.start) == "path"
            && tokens.kind(value).is_literal();
        if is_attr {
            let (value, span) = (tokens.text(value).trim_matches('"'), tokens.span(value));
            self.out.facts.path_attrs.push(PathAttr {
                value: value.to_owned(),
                span,
            });
        }
    }
}

/// A look at the literal as written, as nearly all texts are none and to read escapes takes long.
fn may_be_sql(literal: &str) -> bool {
    let text = literal.trim_start_matches(['r', '#', '"']);
    let first = text.trim_start_matches(|it: char| it.is_whitespace() || it == '(');
    first.starts_with(|it: char| "\\-/bcdeimprstuwBCDEIMPRSTUW".contains(it))
}
