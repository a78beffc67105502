//! The pass over the nodes of a file.
//!
//! **Invariant:** it does not recurse into nodes, so a tree may be as deep as the parser makes it.

use ra_ap_parser::SyntaxKind as K;

use super::tree::Tree;
use super::{Fast, attributes, paths};
use crate::facts::{Name, Scope, ScopeId};

/// What to go back to behind a node.
struct Open {
    end: usize,
    scope: ScopeId,
    test: bool,
}

impl Fast<'_> {
    /// The whole of a file.
    pub(super) fn file(&mut self, tree: &Tree) {
        let test = self.attrs(tree, 0).is_test();
        self.out.test = test;
        self.out.facts.scopes.push(Scope {
            test,
            ..Scope::default()
        });
        self.nodes(tree, 1);
    }

    /// The nodes from one on.
    pub(super) fn nodes(&mut self, tree: &Tree, first: usize) {
        let mut open: Vec<Open> = Vec::new();
        let mut at = first;
        while at < tree.len() {
            while let Some(it) = open.pop_if(|it| it.end <= at) {
                (self.out.scope, self.out.test) = (it.scope, it.test);
            }
            let before = Open {
                end: tree.end(at),
                scope: self.out.scope,
                test: self.out.test,
            };
            let next = self.node(tree, at);
            let is_changed = (before.scope, before.test) != (self.out.scope, self.out.test);
            if is_changed {
                open.push(before);
            }
            at = next;
        }
        if let Some(first) = open.first() {
            (self.out.scope, self.out.test) = (first.scope, first.test);
        }
    }

    /// One node. Says which one comes next: its first child, or the one behind it.
    fn node(&mut self, tree: &Tree, at: usize) -> usize {
        let behind = tree.end(at);
        match tree.kind(at) {
            // A visibility names a region, not a dependency.
            K::VISIBILITY | K::IMPL_RESTRICTION | K::MUT_RESTRICTION | K::MACRO_DEF => behind,
            K::ATTR => {
                // Those inside of a body were read with its head.
                if !matches!(tree.place(at), K::ITEM_LIST | K::STMT_LIST) {
                    self.attribute(tree.tokens(at));
                }
                behind
            }
            K::PATH => {
                if !paths::is_part(tree, at) {
                    self.path(tree, at);
                }
                at + 1
            }
            K::LITERAL => {
                self.literal(tree.tokens(at).start);
                behind
            }
            K::TOKEN_TREE => {
                self.macro_of(tree, at);
                behind
            }
            K::CALL_EXPR => {
                self.call(tree, at);
                self.called(tree, at);
                at + 1
            }
            K::IDENT_PAT => {
                if let Some(name) = tree.name(at) {
                    match tree.place(at) {
                        // An end of `A..=B` is a constant.
                        K::RANGE_PAT => self.out.name(self.tokens.segment(name)),
                        _ => drop(self.out.bound.insert(self.tokens.plain(name))),
                    }
                }
                at + 1
            }
            K::STMT_LIST => {
                self.block(tree, at);
                at + 1
            }
            kind if is_item(kind) || kind == K::MACRO_CALL => self.item(tree, at),
            K::MACRO_EXPR => {
                self.statement_macro(tree, at);
                at + 1
            }
            _ => at + 1,
        }
    }

    /// Notes the name of a function that is called by its name alone.
    fn called(&mut self, tree: &Tree, at: usize) {
        let path = at + 2;
        let is_alone = tree.kind(at + 1) == K::PATH_EXPR
            && tree.kind(path) == K::PATH
            && tree.kind(path + 1) == K::PATH_SEGMENT
            && tree.kind(path + 2) == K::NAME_REF
            && !self.tokens.is_colons(tree.tokens(path).start);
        if is_alone {
            let name = tree.tokens(path + 2).start;
            self.out.called(self.tokens.segment(name));
        }
    }

    /// A block in which items are declared is a scope.
    fn block(&mut self, tree: &Tree, list: usize) {
        for it in tree.children(list) {
            if tree.kind(it) == K::ATTR {
                self.attribute(tree.tokens(it));
            }
        }
        // The block around macro arguments is none of the file.
        if list > 1 {
            let mut items = tree.children(list).map(|it| tree.kind(it));
            if items.any(is_item) {
                self.enter(self.out.child());
            }
        }
    }

    /// Makes a scope the current one.
    pub(super) fn enter(&mut self, scope: Scope) {
        self.out.facts.scopes.push(scope);
        self.out.scope = self.out.facts.scopes.len() - 1;
    }

    fn item(&mut self, tree: &Tree, at: usize) -> usize {
        let kind = tree.kind(at);
        let is_own = matches!(tree.place(at), K::SOURCE_FILE | K::ITEM_LIST | K::STMT_LIST);
        let in_impl =
            tree.place(at) == K::ASSOC_ITEM_LIST && tree.place(tree.parent(at)) == K::IMPL;
        if is_own && !matches!(kind, K::EXTERN_CRATE | K::UNION | K::EXTERN_BLOCK)
            || in_impl && kind == K::FN
        {
            self.out.test |= self.attrs(tree, at).is_test();
        }
        if kind == K::MACRO_RULES {
            return self.macro_rules(tree, at);
        }
        if is_own {
            self.declare(tree, at);
            match kind {
                K::MODULE => return self.module(tree, at),
                K::USE => return self.use_item(tree, at),
                K::EXTERN_CRATE => return self.extern_crate(tree, at),
                K::STRUCT => self.model(tree, at),
                K::IMPL => self.conversion(tree, at),
                K::MACRO_CALL => self.item_macro(tree, at),
                _ => {}
            }
        }
        let is_function = kind == K::FN && (is_own || in_impl);
        let has_body = is_function && tree.child(at, K::BLOCK_EXPR).is_some();
        if has_body {
            self.function(tree, at);
        }
        if has_body || is_own && matches!(kind, K::IMPL | K::TRAIT | K::STRUCT) {
            self.generics(tree, at);
        }
        at + 1
    }

    /// A macro in the place of a statement, with braces, may declare modules too.
    fn statement_macro(&mut self, tree: &Tree, at: usize) {
        let is_statement = match tree.place(at) {
            K::EXPR_STMT => tree.place(tree.parent(at)) == K::STMT_LIST,
            place => place == K::STMT_LIST,
        };
        let list = tree.child(at + 1, K::TOKEN_TREE);
        let has_braces = |it: usize| self.tokens.kind(tree.tokens(it).start) == K::L_CURLY;
        if is_statement && list.is_some_and(has_braces) {
            self.item_macro(tree, at + 1);
        }
    }

    fn declare(&mut self, tree: &Tree, at: usize) {
        let meaning = match tree.kind(at) {
            K::STRUCT | K::ENUM | K::UNION | K::TRAIT | K::TYPE_ALIAS => Name::Type,
            K::FN | K::CONST | K::STATIC => Name::Value,
            _ => return,
        };
        // Without a value only a macro makes sense of it.
        let is_valued = |it: usize| matches!(self.tokens.kind(it), K::EQ | K::L_CURLY);
        if matches!(tree.kind(at), K::FN | K::CONST | K::STATIC | K::TYPE_ALIAS)
            && !self.tokens.first_level(tree.tokens(at)).any(is_valued)
        {
            return;
        }
        // `const _` has no name of its own kind.
        let name = tree
            .name(at)
            .map_or_else(|| "_".to_owned(), |it| self.tokens.plain(it));
        self.out.declare(name, meaning);
    }

    /// Generic parameters hide crates of the same name.
    fn generics(&mut self, tree: &Tree, at: usize) {
        let Some(list) = tree.child(at, K::GENERIC_PARAM_LIST) else {
            return;
        };
        let types = tree
            .children(list)
            .filter(|it| tree.kind(*it) == K::TYPE_PARAM);
        let names = types.filter_map(|it| Some((self.tokens.plain(tree.name(it)?), Name::Type)));
        let scope = Scope {
            names: names.collect(),
            ..self.out.child()
        };
        if !scope.names.is_empty() {
            self.enter(scope);
        }
    }

    fn module(&mut self, tree: &Tree, at: usize) -> usize {
        let Some(name) = tree.name(at) else {
            return tree.end(at);
        };
        for it in attributes::attributes_of(tree, at) {
            self.attribute(tree.tokens(it));
        }
        let attrs = self.attrs(tree, at);
        let (named, conditional) = (attrs.paths(), attrs.is_conditional());
        let (text, span) = (self.tokens.plain(name), self.tokens.span(name));
        let Some(items) = tree.child(at, K::ITEM_LIST) else {
            self.out.file_module(text, span, named, conditional);
            return tree.end(at);
        };
        let scope = self.out.inline_module(text, &named);
        self.enter(scope);
        items + 1
    }
}

/// Whether a node declares something in a block.
fn is_item(kind: K) -> bool {
    matches!(
        kind,
        K::CONST
            | K::ENUM
            | K::EXTERN_BLOCK
            | K::EXTERN_CRATE
            | K::FN
            | K::IMPL
            | K::MACRO_DEF
            | K::MACRO_RULES
            | K::MODULE
            | K::STATIC
            | K::STRUCT
            | K::TRAIT
            | K::TYPE_ALIAS
            | K::UNION
            | K::USE
    )
}
