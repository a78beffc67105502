//! What items say: imports, models, conversions, functions.

use ra_ap_parser::SyntaxKind as K;

use super::tree::Tree;
use super::{Fast, paths};
use crate::facts::extract::ExternCrate;
use crate::facts::{Field, Function, Segment, StructDef};

/// A use tree's surroundings.
struct Import<'s> {
    prefix: &'s [Segment],
    leading: bool,
    public: bool,
}

impl Fast<'_> {
    pub(super) fn use_item(&mut self, tree: &Tree, at: usize) -> usize {
        let public = tree.child(at, K::VISIBILITY).is_some();
        if let Some(it) = tree.child(at, K::USE_TREE) {
            let leading = self.tokens.is_colons(tree.tokens(it).start);
            let import = Import {
                prefix: &[],
                leading,
                public,
            };
            self.use_tree(tree, it, &import);
        }
        tree.end(at)
    }

    fn use_tree(&mut self, tree: &Tree, at: usize, import: &Import) {
        let range = tree.tokens(at);
        let own = tree.child(at, K::PATH);
        let words = own.into_iter().flat_map(|it| tree.tokens(it));
        let words = words.filter(|it| self.tokens.is_word(*it));
        let mut path = import.prefix.to_vec();
        path.extend(words.map(|it| self.tokens.segment(it)));
        let Import {
            leading, public, ..
        } = *import;
        if let Some(list) = tree.child(at, K::USE_TREE_LIST) {
            let within = Import {
                prefix: &path,
                leading,
                public,
            };
            for it in tree.children(list) {
                self.use_tree(tree, it, &within);
            }
        } else if self.tokens.kind(range.end - 1) == K::STAR {
            self.out.add_glob(path, leading, public);
        } else {
            // `a::{self}` is `a`, and `self` alone is itself.
            if path.len() > 1 && path.last().is_some_and(|it| it.name == "self") {
                path.pop();
            }
            let rename = tree.child(at, K::RENAME);
            let alias = match rename {
                Some(it) => Some(self.tokens.plain(tree.tokens(it).end - 1)),
                None => path.last().map(|it| it.name.clone()),
            };
            let alias = alias.filter(|it| rename.is_none() || it != "_");
            self.out.add_use(path, leading, alias, public);
        }
    }

    pub(super) fn extern_crate(&mut self, tree: &Tree, at: usize) -> usize {
        if let Some(name) = tree.child(at, K::NAME_REF) {
            let name = tree.tokens(name).start;
            let rename = tree.child(at, K::RENAME).map(|it| tree.tokens(it).end - 1);
            let item = ExternCrate {
                name: self.tokens.segment(name),
                alias: self.tokens.plain(rename.unwrap_or(name)),
                public: tree.child(at, K::VISIBILITY).is_some(),
                macros: self.attrs(tree, at).has("macro_use"),
            };
            self.out.add_extern_crate(item);
        }
        tree.end(at)
    }

    pub(super) fn model(&mut self, tree: &Tree, at: usize) {
        let Some(name) = tree.name(at) else { return };
        let fields = tree.child(at, K::RECORD_FIELD_LIST);
        let fields = fields.into_iter().flat_map(|it| tree.children(it));
        let fields = fields.filter_map(|it| self.field(tree, it)).collect();
        let attrs = self.attrs(tree, at);
        let definition = StructDef {
            name: self.tokens.plain(name),
            span: self.tokens.span(name),
            scope: self.out.scope,
            test: self.out.test,
            derives: attrs.derives(),
            table: attrs.table(),
            fields,
        };
        self.out.facts.structs.push(definition);
    }

    fn field(&self, tree: &Tree, field: usize) -> Option<Field> {
        let name = tree.child(field, K::NAME)?;
        let mut ty = String::new();
        self.words(tree, tree.end(name), &mut ty);
        let name = tree.tokens(name).start;
        Some(Field {
            name: self.tokens.plain(name),
            rename: self.attrs(tree, field).rename(),
            ty,
            span: self.tokens.span(name),
        })
    }

    /// `impl From<A> for B`, `impl TryFrom<A> for B`, `impl Into<B> for A`.
    pub(super) fn conversion(&mut self, tree: &Tree, at: usize) {
        let types = tree.children(at).filter(|it| {
            !matches!(
                tree.kind(*it),
                K::ATTR
                    | K::VISIBILITY
                    | K::GENERIC_PARAM_LIST
                    | K::WHERE_CLAUSE
                    | K::ASSOC_ITEM_LIST
            )
        });
        let types: Vec<usize> = types.collect();
        let [of_trait, own] = types[..] else { return };
        let (Some(path), Some(own)) = (paths::of_type(tree, of_trait), paths::of_type(tree, own))
        else {
            return;
        };
        let argument = paths::arguments(tree, path).and_then(|it| tree.children(it).next());
        let argument = argument.filter(|it| tree.kind(*it) == K::TYPE_ARG);
        let Some(argument) = argument.and_then(|it| paths::of_type(tree, it + 1)) else {
            return;
        };
        let name = self.path_at(tree, path).segments.pop();
        if name
            .is_some_and(|it| matches!(it.name.as_str(), "From" | "TryFrom" | "Into" | "TryInto"))
        {
            let pair = (self.path_at(tree, argument), self.path_at(tree, own));
            self.out.facts.conversions.push(pair);
        }
    }

    pub(super) fn function(&mut self, tree: &Tree, at: usize) {
        let Some(name) = tree.name(at) else { return };
        let first = self.tokens.line(name - 1);
        let last = self.tokens.line(tree.tokens(at).end - 1);
        self.out.facts.functions.push(Function {
            name: self.tokens.plain(name),
            span: self.tokens.span(name),
            lines: last - first + 1,
            test: self.out.test,
        });
    }
}
