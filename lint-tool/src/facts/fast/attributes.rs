//! What attributes say, read from their tokens.

use std::ops::Range;

use ra_ap_parser::SyntaxKind as K;
use syn::parse::Parser as _;

use super::Fast;
use super::tokens::Tokens;
use super::tree::Tree;
use crate::diagnostic::Span;
use crate::facts::attributes::{COLUMN_SOURCES, PATH_STRINGS, TABLE_SOURCES, TESTS};
use crate::facts::{PathAttr, PathRef};

/// `#[path(list)]`, `#[path = value]` or `#[path]`, by their tokens.
#[derive(Clone)]
pub(super) struct Attr {
    path: Range<usize>,
    list: Option<Range<usize>>,
    value: Option<Range<usize>>,
}

impl Attr {
    /// Reads `#[…]` or `#![…]`.
    fn of(tokens: &Tokens, range: Range<usize>) -> Attr {
        let open = range.clone().find(|it| tokens.kind(*it) == K::L_BRACK);
        let all = open.map_or(range.clone(), |it| tokens.inside(it));
        let stop = all
            .clone()
            .find(|it| tokens.is_open(*it) || tokens.kind(*it) == K::EQ)
            .unwrap_or(all.end);
        Attr {
            path: all.start..stop,
            list: tokens.is_open(stop).then(|| tokens.inside(stop)),
            value: (stop < all.end && tokens.kind(stop) == K::EQ).then(|| stop + 1..all.end),
        }
    }

    /// The name of an attribute that is no path.
    fn name<'a>(&self, tokens: &Tokens<'a>) -> Option<&'a str> {
        (self.path.len() == 1).then(|| tokens.text(self.path.start))
    }

    fn last<'a>(&self, tokens: &Tokens<'a>) -> &'a str {
        tokens.text(self.path.end - 1)
    }

    /// The literal of `key = "…"`.
    fn literal(&self, tokens: &Tokens, key: &str) -> Option<usize> {
        let value = self.value.clone().filter(|it| it.len() == 1)?;
        let is_key = self.name(tokens) == Some(key);
        (is_key && tokens.kind(value.start) == K::STRING).then_some(value.start)
    }

    /// The literal of `path = "…"`, also inside `cfg_attr`.
    fn path_literal(&self, tokens: &Tokens) -> Option<usize> {
        self.literal(tokens, "path").or_else(|| {
            let list = self.list.clone()?;
            let within = self.name(tokens) == Some("cfg_attr");
            within.then(|| string_after(tokens, list, "path")).flatten()
        })
    }

    /// The list attributes that an attribute is: itself, or those in a `cfg_attr`.
    fn lists<'a>(&self, tokens: &Tokens<'a>) -> Vec<(&'a str, Range<usize>)> {
        let (Some(list), Some(name)) = (self.list.clone(), self.name(tokens)) else {
            return Vec::new();
        };
        if name != "cfg_attr" {
            return vec![(name, list)];
        }
        let words = tokens.first_level(list).filter(|it| tokens.is_word(*it));
        words
            .filter(|it| tokens.is_open(it + 1))
            .map(|it| (tokens.text(it), tokens.inside(it + 1)))
            .collect()
    }
}

/// The string after `key =` in a list, at its first level.
fn string_after(tokens: &Tokens, list: Range<usize>, key: &str) -> Option<usize> {
    own_string_after(tokens, list.clone(), key).or_else(|| {
        let mut words = tokens.first_level(list);
        words.find_map(|it| {
            let is_list = tokens.text(it) == "cfg_attr" && tokens.is_open(it + 1);
            is_list.then(|| string_after(tokens, tokens.inside(it + 1), key))?
        })
    })
}

fn own_string_after(tokens: &Tokens, list: Range<usize>, key: &str) -> Option<usize> {
    let mut keys = tokens.first_level(list.clone()).filter(|it| {
        tokens.is_word(*it) && tokens.text(*it) == key && tokens.kind(it + 1) == K::EQ
    });
    let value = keys.find(|it| it + 2 < list.end && tokens.kind(it + 2) == K::STRING);
    value.map(|it| it + 2)
}

fn asks_for_test(tokens: &Tokens, list: Range<usize>) -> bool {
    let mut negated = false;
    for at in tokens.first_level(list) {
        if tokens.is_open(at) {
            if !negated && asks_for_test(tokens, tokens.inside(at)) {
                return true;
            }
        } else if tokens.is_word(at) {
            match tokens.text(at) {
                "test" => return true,
                word => negated = word == "not",
            }
        }
    }
    false
}

fn last_words(tokens: &Tokens, list: Range<usize>, names: &mut Vec<String>) {
    let mut last: Option<String> = None;
    for at in tokens.first_level(list) {
        if tokens.is_word(at) {
            let is_column = tokens.text(at) == "Type" && last.as_deref() == Some("sqlx");
            let name = if is_column {
                "sqlx::Type"
            } else {
                tokens.text(at)
            };
            last = Some(name.to_owned());
        } else if tokens.kind(at) == K::COMMA {
            names.extend(last.take());
        }
    }
    names.extend(last);
}

fn word_after(tokens: &Tokens, list: Range<usize>, key: &str) -> Option<String> {
    let keys = tokens.first_level(list);
    let value = keys.skip_while(|it| tokens.text(*it) != key).skip(2);
    let value = value.take_while(|it| tokens.is_word(*it) || tokens.kind(*it) == K::COLON);
    let last = value.filter(|it| tokens.is_word(*it)).last();
    last.map(|it| tokens.text(it).to_owned())
}

/// The attributes of one item.
pub(super) struct Attrs<'a, 'b> {
    tokens: &'b Tokens<'a>,
    all: Vec<Attr>,
}

impl Attrs<'_, '_> {
    /// Whether the item is compiled for tests only.
    pub(super) fn is_test(&self) -> bool {
        self.all.iter().any(|it| match &it.list {
            Some(list) if it.last(self.tokens) == "cfg" => asks_for_test(self.tokens, list.clone()),
            _ => TESTS.contains(&it.last(self.tokens)),
        })
    }

    /// Whether a `cfg` or `cfg_attr` stands on the item.
    pub(super) fn is_conditional(&self) -> bool {
        let mut names = self.all.iter().map(|it| it.name(self.tokens));
        names.any(|it| matches!(it, Some("cfg" | "cfg_attr")))
    }

    /// Whether an attribute of that name stands on the item.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|it| it.name(self.tokens) == Some(name))
    }

    /// The files that `#[path]` names, and whether only under a `cfg_attr`.
    pub(super) fn paths(&self) -> Vec<(String, bool)> {
        let named = self.all.iter().filter_map(|it| {
            let literal = it.path_literal(self.tokens)?;
            let file = self.tokens.string(literal)?.into_owned();
            Some((file, it.name(self.tokens) == Some("cfg_attr")))
        });
        named.collect()
    }

    /// Last segments of everything derived, also through `cfg_attr`.
    pub(super) fn derives(&self) -> Vec<String> {
        let mut names = Vec::new();
        for it in &self.all {
            for (name, list) in it.lists(self.tokens) {
                if name == "derive" {
                    last_words(self.tokens, list, &mut names);
                }
            }
        }
        names
    }

    fn lists(&self, known: &[&str]) -> impl Iterator<Item = Range<usize>> {
        let lists = self.all.iter().flat_map(|it| it.lists(self.tokens));
        lists
            .filter(|(name, _)| known.contains(name))
            .map(|(_, list)| list)
    }

    /// The table that diesel's or sea-orm's attribute names.
    pub(super) fn table(&self) -> Option<String> {
        let tokens = self.tokens;
        self.all.iter().find_map(|it| {
            if let Some(literal) = it.literal(tokens, "table_name") {
                return tokens.string(literal).map(|it| it.into_owned());
            }
            let lists = it.lists(tokens).into_iter();
            let mut lists = lists.filter(|(name, _)| TABLE_SOURCES.contains(name));
            lists.find_map(|(_, list)| {
                let text = string_after(tokens, list.clone(), "table_name");
                let text = text
                    .and_then(|it| tokens.string(it))
                    .map(|it| it.into_owned());
                text.or_else(|| word_after(tokens, list, "table_name"))
            })
        })
    }

    /// What a field is called in the database or on the wire.
    pub(super) fn rename(&self) -> Option<String> {
        let mut lists = self.lists(&COLUMN_SOURCES);
        lists.find_map(|list| {
            let mut keys = ["rename", "column_name"].iter();
            let found = keys.find_map(|key| string_after(self.tokens, list.clone(), key));
            found
                .and_then(|it| self.tokens.string(it))
                .map(|it| it.into_owned())
        })
    }
}

impl<'a> Fast<'a> {
    /// The attributes before an item, and those inside of its body.
    pub(super) fn attrs<'b>(&'b self, tree: &Tree, item: usize) -> Attrs<'a, 'b> {
        let attrs = attributes_of(tree, item);
        Attrs {
            tokens: self.tokens,
            all: attrs
                .map(|it| Attr::of(self.tokens, tree.tokens(it)))
                .collect(),
        }
    }

    /// Notes what an attribute leads to.
    pub(super) fn attribute(&mut self, range: Range<usize>) {
        let tokens = self.tokens;
        let attr = Attr::of(tokens, range);
        if attr.name(tokens) == Some("doc") {
            if let Some(value) = attr.value {
                self.doc(value);
            }
            return;
        }
        if let Some(literal) = attr.path_literal(tokens) {
            let value = tokens.string(literal).unwrap_or_default().into_owned();
            let span = tokens.span(literal);
            self.out.facts.path_attrs.push(PathAttr { value, span });
        }
        for (name, list) in attr.lists(tokens) {
            if name == "serde" {
                self.path_strings(list);
            }
        }
        let is_derive = attr.name(tokens) == Some("derive");
        let before = std::mem::replace(&mut self.out.quoted, true);
        self.path_of_words(attr.path);
        self.out.quoted = before;
        if let Some(list) = attr.list {
            if is_derive {
                let words = tokens.first_level(list.clone());
                let words = words.filter(|it| tokens.is_word(*it) && !tokens.is_colons(it + 1));
                let alone = words.filter(|it| *it < list.start + 2 || !tokens.is_colons(it - 2));
                alone.for_each(|it| self.out.name(tokens.segment(it)));
            }
            self.scan(list, false);
        }
    }

    /// `#[doc = include_str!("…")]`
    fn doc(&mut self, value: Range<usize>) {
        let bang = value.clone().find(|it| self.tokens.kind(*it) == K::BANG);
        if let Some(bang) = bang.filter(|it| *it > value.start && self.tokens.is_open(it + 1)) {
            self.path_of_words(value.start..bang);
            self.macro_call(bang - 1, bang + 1);
        }
    }

    /// Notes a path that is nothing but names.
    fn path_of_words(&mut self, range: Range<usize>) {
        let leading = self.tokens.is_colons(range.start);
        let words = range.filter(|it| self.tokens.is_word(*it));
        let segments: Vec<_> = words.map(|it| self.tokens.segment(it)).collect();
        if segments.len() > 1 || leading {
            let path = self.out.path_ref(segments, leading);
            self.out.facts.paths.push(path);
        }
    }

    /// Strings of a list attribute that name paths, such as `serde(with = "…")`.
    fn path_strings(&mut self, list: Range<usize>) {
        for key in PATH_STRINGS {
            let Some(at) = string_after(self.tokens, list.clone(), key) else {
                continue;
            };
            let text = self.tokens.string(at).unwrap_or_default();
            if let Ok(path) = syn::Path::parse_mod_style.parse_str(&text) {
                let path = moved(self.out.path_of(&path), self.tokens.span(at));
                if path.segments.len() > 1 {
                    self.out.facts.paths.push(path);
                }
            }
        }
    }
}

fn moved(mut path: PathRef, span: Span) -> PathRef {
    path.segments.iter_mut().for_each(|it| it.span = span);
    path
}

/// The attributes before an item, and those inside of its body.
pub(super) fn attributes_of(tree: &Tree, item: usize) -> impl Iterator<Item = usize> {
    let body = tree.children(item).find(|it| {
        matches!(
            tree.kind(*it),
            K::ITEM_LIST | K::ASSOC_ITEM_LIST | K::BLOCK_EXPR | K::EXTERN_ITEM_LIST
        )
    });
    let body = body.map(|it| {
        if tree.kind(it) == K::BLOCK_EXPR {
            it + 1
        } else {
            it
        }
    });
    let inner = body.into_iter().flat_map(|it| tree.children(it));
    let all = tree.children(item).chain(inner);
    all.filter(|it| tree.kind(*it) == K::ATTR)
}
