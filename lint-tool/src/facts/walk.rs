//! The walk over one file's syntax tree.

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, LitStr, Meta};

use super::attributes;
use super::extract::{Walker, segment, span_of};
use super::tokens::{self, plain};
use super::{Name, PathAttr};

impl<'ast> Visit<'ast> for Walker {
    fn visit_item(&mut self, item: &'ast Item) {
        let before = self.test;
        self.test |= attributes::is_test(item_attrs(item));
        self.declare_item(item);
        match item {
            Item::Mod(it) => {
                it.attrs.iter().for_each(|it| self.visit_attribute(it));
                self.module(it);
            }
            Item::Use(it) => {
                let public = !matches!(it.vis, syn::Visibility::Inherited);
                self.use_tree(&it.tree, &[], it.leading_colon.is_some(), public);
            }
            Item::ExternCrate(it) => self.extern_crate(it),
            Item::Fn(it) => {
                self.function(&it.sig, &it.block);
                self.generics(&it.sig.generics, |walker| visit::visit_item_fn(walker, it));
            }
            Item::Impl(it) => {
                self.conversion(it);
                self.generics(&it.generics, |walker| visit::visit_item_impl(walker, it))
            }
            Item::Trait(it) => {
                self.generics(&it.generics, |walker| visit::visit_item_trait(walker, it))
            }
            Item::Struct(it) => {
                self.model(&it.ident, &it.attrs, &it.fields);
                self.generics(&it.generics, |walker| visit::visit_item_struct(walker, it));
            }
            Item::Macro(it) => {
                if let Some(name) = &it.ident {
                    self.declare(plain(name), Name::Value);
                    if it.attrs.iter().any(|it| it.path().is_ident("macro_export")) {
                        let exported = (plain(name), self.scope);
                        self.facts.exported_macros.push(exported);
                    }
                    if tokens::makes_modules(&it.mac.tokens) {
                        self.facts.module_makers.push(plain(name));
                    }
                } else {
                    self.item_macro(&it.mac);
                }
                visit::visit_item(self, item);
            }
            // What only macros make sense of, such as a static without a value.
            Item::Verbatim(tokens) => self.tokens(tokens.clone(), false),
            _ => visit::visit_item(self, item),
        }
        self.test = before;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let before = self.test;
        self.test |= attributes::is_test(&item.attrs);
        self.function(&item.sig, &item.block);
        self.generics(&item.sig.generics, |walker| {
            visit::visit_impl_item_fn(walker, item)
        });
        self.test = before;
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        if block
            .stmts
            .iter()
            .any(|it| matches!(it, syn::Stmt::Item(_)))
        {
            let scope = self.child();
            self.within(scope, |walker| visit::visit_block(walker, block));
        } else {
            visit::visit_block(self, block);
        }
    }

    // A visibility names a region, not a dependency.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_qself(&mut self, it: &'ast syn::QSelf) {
        visit::visit_qself(self, it);
        self.of_type_alone = it.position == 0;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // `<T>::X` leads to no module.
        let of_type_alone = std::mem::take(&mut self.of_type_alone);
        if of_type_alone {
            return visit::visit_path(self, path);
        }
        if path.segments.len() > 1 || path.leading_colon.is_some() {
            let path = self.path_of(path);
            self.facts.paths.push(path);
        } else if let Some(it) = path.segments.first() {
            self.name(segment(&it.ident));
        }
        visit::visit_path(self, path);
    }

    fn visit_pat_ident(&mut self, it: &'ast syn::PatIdent) {
        self.bound.insert(plain(&it.ident));
        visit::visit_pat_ident(self, it);
    }

    fn visit_attribute(&mut self, attr: &'ast Attribute) {
        if attr.path().is_ident("doc") {
            if let Meta::NameValue(it) = &attr.meta
                && let Expr::Macro(text) = &it.value
            {
                self.visit_macro(&text.mac);
            }
            return;
        }
        if let Some(text) = attributes::path_attr(attr) {
            let (value, span) = (text.value(), span_of(text.span()));
            self.facts.path_attrs.push(PathAttr { value, span });
        }
        for text in attributes::path_strings(attr) {
            if let Ok(path) = text.parse_with(syn::Path::parse_mod_style) {
                let mut path = self.path_of(&path);
                let span = span_of(text.span());
                path.segments.iter_mut().for_each(|it| it.span = span);
                if path.segments.len() > 1 {
                    self.facts.paths.push(path);
                }
            }
        }
        self.quote(true, |walker| walker.visit_path(attr.path()));
        if let Meta::List(list) = &attr.meta {
            if attr.path().is_ident("derive") {
                let alone = tokens::alone(&list.tokens);
                alone.iter().for_each(|it| self.name(segment(it)));
            }
            self.tokens(list.tokens.clone(), false);
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.visit_path(&mac.path);
        let Some(last) = mac.path.segments.last() else {
            return;
        };
        if last.ident == "stringify" {
            return;
        }
        if last.ident == "macro_rules" {
            return self.quote(true, |walker| walker.tokens(mac.tokens.clone(), false));
        }
        // A name of this file hides the one of the prelude, but not `sqlx::migrate`.
        let is_bare = mac.path.segments.len() == 1;
        if !(is_bare && self.is_own(&plain(&last.ident))) {
            self.known_macro(&last.ident, &mac.tokens);
        }
        let quoted = last.ident.to_string().contains("quote");
        self.quote(quoted, |walker| walker.arguments(mac.tokens.clone()));
    }

    fn visit_stmt_macro(&mut self, stmt: &'ast syn::StmtMacro) {
        if matches!(stmt.mac.delimiter, syn::MacroDelimiter::Brace(_)) {
            self.item_macro(&stmt.mac);
        }
        visit::visit_stmt_macro(self, stmt);
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.text(text);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = call.func.as_ref()
            && let Some(last) = function.path.segments.last()
            && last.ident == "query_as"
            && let syn::PathArguments::AngleBracketed(arguments) = &last.arguments
            && let Some(syn::GenericArgument::Type(syn::Type::Path(row))) = arguments.args.last()
            && let Some(Expr::Lit(query)) = call.args.first()
        {
            self.row_type(&row.path, query);
        }
        if let Expr::Path(function) = call.func.as_ref()
            && function.qself.is_none()
            && let Some(name) = function.path.segments.first()
            && function.path.segments.len() == 1
            && function.path.leading_colon.is_none()
        {
            self.called(segment(&name.ident));
        }
        visit::visit_expr_call(self, call);
    }
}

fn item_attrs(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}
