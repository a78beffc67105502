//! From a text to facts by a syntax tree, and what any walk writes down.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proc_macro2::{LineColumn, TokenStream};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::Visit as _;
use syn::{Expr, Item, LitStr, Token, UseTree};

use super::tokens::{self, Found, plain};
use super::{
    Facts, Include, Name, PathAttr, PathRef, Scope, ScopeId, Segment, Use, allow, attributes,
    depth, docs, fast, sql_texts,
};
use crate::diagnostic::Span;

/// Turns a file into facts. A file that cannot be parsed keeps its error as a fact.
pub fn extract(text: &str) -> Facts {
    finish(text, fast::extract(text).unwrap_or_else(|| by_tree(text)))
}

/// The same by `syn` alone, which the quicker way is compared with.
pub fn extract_by_tree(text: &str) -> Facts {
    finish(text, by_tree(text))
}

fn finish(text: &str, mut facts: Facts) -> Facts {
    facts.lines = text.lines().count() as u32;
    facts.generated = super::generated::is_generated(text);
    if allow::has_any(text) {
        facts.allows = allow::read(text, "//", &literals(text));
    }
    // Spans are plain data by now; without this the source map of the thread grows by every file.
    proc_macro2::extra::invalidate_current_thread_spans();
    facts
}

fn by_tree(text: &str) -> Facts {
    let mut walker = Walker::default();
    walker.facts.scopes.push(Scope::default());
    match parse(&docs::blank(text)) {
        Ok(file) => {
            walker.test = attributes::is_test(&file.attrs);
            walker.facts.scopes[0].test = walker.test;
            walker.visit_file(&file);
        }
        Err(err) => walker.facts.error = Some((span_of(err.span()), err.to_string())),
    }
    walker.into_facts()
}

/// The text that is Rust: no token is in a byte order mark or a shebang.
pub(super) fn code(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // `#![` is an attribute.
    let is_shebang = text.starts_with("#!") && !text[2..].trim_start().starts_with('[');
    if is_shebang {
        Cow::Owned(format!("//{}", &text[2..]))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text whose doc comments are blanked as a syntax tree.
pub(super) fn parse(text: &str) -> syn::Result<syn::File> {
    let text = &*code(text);
    let tokens: TokenStream = text.parse()?;
    if let Some(span) = depth::too_deep(&tokens) {
        let message = format!("nested deeper than {} levels", depth::LIMIT);
        return Err(syn::Error::new(span, message));
    }
    syn::parse2(tokens)
}

/// A token's place on the line where it begins.
pub(super) fn span_of(span: proc_macro2::Span) -> Span {
    let (start, end) = (span.start(), span.end());
    let width = if start.line == end.line {
        end.column.saturating_sub(start.column)
    } else {
        1
    };
    Span {
        line: start.line as u32,
        column: start.column as u32 + 1,
        width: width.max(1) as u32,
    }
}

/// One piece of a path. Its end follows from its name: asking for it costs as much as for its start.
pub(super) fn segment(ident: &syn::Ident) -> Segment {
    let mut name = ident.to_string();
    let start = ident.span().start();
    let span = Span {
        line: start.line as u32,
        column: start.column as u32 + 1,
        width: name.chars().count() as u32,
    };
    if name.starts_with("r#") {
        name.drain(..2);
    }
    Segment { name, span }
}

/// Where string literals stand.
fn literals(text: &str) -> Vec<Range<allow::Position>> {
    fn walk(tokens: TokenStream, found: &mut Vec<Range<allow::Position>>) {
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(it) => walk(it.stream(), found),
                proc_macro2::TokenTree::Literal(it) if it.to_string().contains('"') => {
                    let (start, end) = (it.span().start(), it.span().end());
                    let position = |at: LineColumn| (at.line as u32, at.column as u32 + 1);
                    found.push(position(start)..position(end));
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(tokens) = text.parse::<TokenStream>() {
        walk(tokens, &mut found);
    }
    found
}

/// Macro arguments that are a syntax tree.
enum Arguments {
    List(Punctuated<Expr, Token![,]>),
    Body(Vec<syn::Stmt>),
}

fn tree(input: syn::parse::ParseStream) -> syn::Result<Arguments> {
    use syn::parse::discouraged::Speculative as _;
    let fork = input.fork();
    match Punctuated::parse_terminated(&fork) {
        Ok(list) if fork.is_empty() => {
            input.advance_to(&fork);
            Ok(Arguments::List(list))
        }
        _ => syn::Block::parse_within(input).map(Arguments::Body),
    }
}

/// An `include!` and its like, as written.
pub(super) struct IncludeText<'a> {
    pub(super) name: &'a str,
    pub(super) file: Option<String>,
    pub(super) out_dir: bool,
    pub(super) span: Span,
}

/// `extern crate name as alias;`
pub(super) struct ExternCrate {
    pub(super) name: Segment,
    pub(super) alias: String,
    pub(super) public: bool,
    pub(super) macros: bool,
}

#[derive(Default)]
pub(super) struct Walker {
    pub(super) facts: Facts,
    pub(super) scope: ScopeId,
    pub(super) test: bool,
    pub(super) in_macro: bool,
    /// The next path begins at a type, `<T>::X`.
    pub(super) of_type_alone: bool,
    pub(super) quoted: bool,
    /// Literals that were read as parts of one text.
    pub(super) parts: BTreeSet<Span>,
    /// Names of local variables.
    pub(super) bound: BTreeSet<String>,
}

impl Walker {
    pub(super) fn within<T>(&mut self, scope: Scope, walk: impl FnOnce(&mut Walker) -> T) -> T {
        let before = self.scope;
        self.facts.scopes.push(scope);
        self.scope = self.facts.scopes.len() - 1;
        let result = walk(self);
        self.scope = before;
        result
    }

    pub(super) fn child(&self) -> Scope {
        Scope {
            parent: Some(self.scope),
            test: self.test,
            ..Scope::default()
        }
    }

    /// Declares a name; a module or import wins over a type, a type over a value.
    pub(super) fn declare(&mut self, name: String, meaning: Name) {
        let rank = |it: Name| match it {
            Name::Inline(_) | Name::File(_) => 3,
            Name::Use(_) => 2,
            Name::Type => 1,
            Name::Value => 0,
        };
        let names = &mut self.facts.scopes[self.scope].names;
        let known = names.get(&name).copied();
        if known.is_none_or(|known| rank(known) < rank(meaning)) {
            names.insert(name, meaning);
        }
    }

    pub(super) fn declare_item(&mut self, item: &Item) {
        let (ident, meaning) = match item {
            Item::Struct(it) => (&it.ident, Name::Type),
            Item::Enum(it) => (&it.ident, Name::Type),
            Item::Union(it) => (&it.ident, Name::Type),
            Item::Trait(it) => (&it.ident, Name::Type),
            Item::TraitAlias(it) => (&it.ident, Name::Type),
            Item::Type(it) => (&it.ident, Name::Type),
            Item::Fn(it) => (&it.sig.ident, Name::Value),
            Item::Const(it) => (&it.ident, Name::Value),
            Item::Static(it) => (&it.ident, Name::Value),
            _ => return,
        };
        self.declare(plain(ident), meaning);
    }

    pub(super) fn path_ref(&self, segments: Vec<Segment>, leading_colon: bool) -> PathRef {
        PathRef {
            segments,
            leading_colon,
            scope: self.scope,
            test: self.test,
            quoted: self.quoted,
        }
    }

    /// Walks code that is made for elsewhere.
    pub(super) fn quote(&mut self, quoted: bool, walk: impl FnOnce(&mut Walker)) {
        let before = self.quoted;
        self.quoted |= quoted;
        walk(self);
        self.quoted = before;
    }

    pub(super) fn path_of(&self, path: &syn::Path) -> PathRef {
        let segments = path.segments.iter().map(|it| segment(&it.ident)).collect();
        self.path_ref(segments, path.leading_colon.is_some())
    }

    pub(super) fn use_tree(
        &mut self,
        tree: &UseTree,
        prefix: &[Segment],
        leading: bool,
        public: bool,
    ) {
        let with = |ident: &syn::Ident| {
            let mut path = prefix.to_vec();
            path.push(segment(ident));
            path
        };
        match tree {
            UseTree::Path(it) => self.use_tree(&it.tree, &with(&it.ident), leading, public),
            UseTree::Group(it) => {
                for tree in &it.items {
                    self.use_tree(tree, prefix, leading, public);
                }
            }
            UseTree::Name(it) if it.ident == "self" && !prefix.is_empty() => {
                let alias = prefix.last().map(|it| it.name.clone());
                self.add_use(prefix.to_vec(), leading, alias, public);
            }
            UseTree::Name(it) => {
                self.add_use(with(&it.ident), leading, Some(plain(&it.ident)), public)
            }
            UseTree::Rename(it) => {
                let path = if it.ident == "self" && !prefix.is_empty() {
                    prefix.to_vec()
                } else {
                    with(&it.ident)
                };
                let alias = Some(plain(&it.rename)).filter(|it| it != "_");
                self.add_use(path, leading, alias, public);
            }
            UseTree::Glob(_) => self.add_glob(prefix.to_vec(), leading, public),
        }
    }

    pub(super) fn add_glob(&mut self, path: Vec<Segment>, leading: bool, public: bool) {
        self.add_use(path, leading, None, public);
        let index = self.facts.uses.len() - 1;
        self.facts.uses[index].glob = true;
        self.facts.scopes[self.scope].globs.push(index);
    }

    pub(super) fn add_use(
        &mut self,
        path: Vec<Segment>,
        leading: bool,
        alias: Option<String>,
        public: bool,
    ) {
        let path = self.path_ref(path, leading);
        self.facts.uses.push(Use {
            path,
            alias: alias.clone(),
            glob: false,
            public,
            extern_crate: false,
            macros: false,
        });
        if let Some(alias) = alias {
            self.declare(alias, Name::Use(self.facts.uses.len() - 1));
        }
    }

    pub(super) fn extern_crate(&mut self, item: &syn::ItemExternCrate) {
        let renamed = item.rename.as_ref().map(|(_, name)| plain(name));
        let alias = renamed.unwrap_or(plain(&item.ident));
        self.add_extern_crate(ExternCrate {
            name: segment(&item.ident),
            alias,
            public: !matches!(item.vis, syn::Visibility::Inherited),
            macros: item.attrs.iter().any(|it| it.path().is_ident("macro_use")),
        });
    }

    pub(super) fn add_extern_crate(&mut self, item: ExternCrate) {
        let declared = Some(item.alias).filter(|it| it != "_" && it != "self");
        self.add_use(vec![item.name], true, declared, item.public);
        if let Some(last) = self.facts.uses.last_mut() {
            last.extern_crate = true;
            last.macros = item.macros;
        }
    }

    /// Macro arguments: a syntax tree where they are one, tokens where they are not.
    pub(super) fn arguments(&mut self, tokens: TokenStream) {
        let before = self.enter_macro();
        let tokens = tokens::without_inner_attributes(tokens);
        match tree.parse2(tokens.clone()) {
            Ok(Arguments::List(list)) => list.iter().for_each(|it| self.visit_expr(it)),
            Ok(Arguments::Body(body)) => body.iter().for_each(|it| self.visit_stmt(it)),
            Err(_) => self.tokens(tokens, true),
        }
        self.leave_macro(before);
    }

    /// What a macro is given may be there or not. Returns what to go back to.
    pub(super) fn enter_macro(&mut self) -> bool {
        std::mem::replace(&mut self.in_macro, true)
    }

    pub(super) fn leave_macro(&mut self, before: bool) {
        self.in_macro = before;
    }

    /// Tokens that are no syntax tree; with `braces`, groups in braces may be one.
    pub(super) fn tokens(&mut self, tokens: TokenStream, braces: bool) {
        let mut all = Vec::new();
        tokens::scan(tokens, braces, &mut |found| all.push(found));
        for found in all {
            match found {
                Found::Path {
                    segments,
                    leading_colon,
                } => {
                    let path = self.path_ref(segments, leading_colon);
                    self.facts.paths.push(path);
                }
                Found::Macro { name, tokens } if self.is_own(&plain(&name)) => drop(tokens),
                Found::Macro { name, tokens } => self.known_macro(&name, &tokens),
                Found::Literal(literal) => self.literal(literal),
                Found::Mod(name) => self.facts.macro_mods.push(name),
                Found::Braces(tokens) => self.arguments(tokens),
                Found::PathAttr(literal) => {
                    let span = span_of(literal.span());
                    let value = literal.to_string().trim_matches('"').to_owned();
                    self.facts.path_attrs.push(PathAttr { value, span });
                }
            }
        }
    }

    /// `include*!`, `query_as!` and their like, which say more than their arguments.
    pub(super) fn known_macro(&mut self, name: &syn::Ident, tokens: &TokenStream) {
        let text = name.to_string();
        match text.as_str() {
            "include" | "include_str" | "include_bytes" => {
                let literal = syn::parse2::<LitStr>(tokens.clone());
                let include = IncludeText {
                    name: &text,
                    file: literal.ok().map(|it| it.value()),
                    out_dir: tokens.to_string().contains("\"OUT_DIR\""),
                    span: span_of(name.span()),
                };
                self.include(include, || Some(tokens.clone()));
            }
            "concat" => {
                let list = Punctuated::<Expr, Token![,]>::parse_terminated;
                if let Ok(list) = list.parse2(tokens.clone()) {
                    self.joined(list.iter().map(sql_texts::part).collect());
                }
            }
            "migrate" | "embed_migrations" => {
                let path = syn::parse2::<LitStr>(tokens.clone());
                self.package_path(path.ok().map(|it| it.value()), span_of(name.span()));
            }
            _ if text.starts_with("query_file") => {
                let list = Punctuated::<Expr, Token![,]>::parse_terminated;
                let list = list.parse2(tokens.clone()).unwrap_or_default();
                let path = list.iter().find_map(attributes::literal);
                self.package_path(path.map(LitStr::value), span_of(name.span()));
            }
            "query_as" | "query_as_unchecked" => {
                let list = Punctuated::<Expr, Token![,]>::parse_terminated;
                let Ok(list) = list.parse2(tokens.clone()) else {
                    return;
                };
                if let (Some(Expr::Path(row)), Some(Expr::Lit(query))) = (list.first(), list.get(1))
                {
                    self.row_type(&row.path, query);
                }
            }
            _ => {}
        }
    }

    pub(super) fn include(
        &mut self,
        include: IncludeText,
        tokens: impl FnOnce() -> Option<TokenStream>,
    ) {
        let joined = if include.file.is_none() {
            tokens().and_then(|it| attributes::joined_path(&it))
        } else {
            None
        };
        self.facts.includes.push(Include {
            source: include.name == "include",
            from_manifest: joined.as_ref().is_some_and(|(_, it)| *it),
            file: include.file.or(joined.map(|(path, _)| path)),
            out_dir: include.out_dir,
            test: self.test,
            span: include.span,
        });
    }

    /// Generic parameters hide crates of the same name.
    pub(super) fn generics<T>(
        &mut self,
        generics: &syn::Generics,
        walk: impl FnOnce(&mut Walker) -> T,
    ) -> T {
        let names: BTreeMap<String, Name> = generics
            .type_params()
            .map(|it| (plain(&it.ident), Name::Type))
            .collect();
        if names.is_empty() {
            return walk(self);
        }
        let scope = Scope {
            names,
            ..self.child()
        };
        self.within(scope, walk)
    }
}
