//! What items say beside their paths: models, modules, functions, conversions, and names and files
//! that macros are given.

use syn::Attribute;
use syn::visit::Visit as _;

use super::extract::{Walker, span_of};
use super::tokens::{self, plain};
use super::{
    Field, Function, Include, ItemMacro, ModDecl, Name, Scope, StructDef, attributes, types,
};
use crate::diagnostic::Span;

impl Walker {
    /// `impl From<A> for B`, `impl TryFrom<A> for B`, `impl Into<B> for A`.
    pub(super) fn conversion(&mut self, item: &syn::ItemImpl) {
        let Some((path, _)) = &item.trait_ else {
            return;
        };
        let Some(last) = path.segments.last() else {
            return;
        };
        let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return;
        };
        let (Some(syn::GenericArgument::Type(argument)), own) =
            (arguments.args.first(), &item.self_ty)
        else {
            return;
        };
        let name = last.ident.to_string();
        if let (true, Some(argument), Some(own)) = (
            ["From", "TryFrom", "Into", "TryInto"].contains(&name.as_str()),
            types::path(argument),
            types::path(own),
        ) {
            let pair = (self.path_of(argument), self.path_of(own));
            self.facts.conversions.push(pair);
        }
    }

    pub(super) fn model(&mut self, ident: &syn::Ident, attrs: &[Attribute], fields: &syn::Fields) {
        let fields = fields.iter().filter_map(|field| {
            let ident = field.ident.as_ref()?;
            Some(Field {
                name: plain(ident),
                rename: attributes::rename(&field.attrs),
                ty: types::text(&field.ty),
                span: span_of(ident.span()),
            })
        });
        let definition = StructDef {
            name: plain(ident),
            span: span_of(ident.span()),
            scope: self.scope,
            test: self.test,
            derives: attributes::derives(attrs),
            table: attributes::table(attrs),
            fields: fields.collect(),
        };
        self.facts.structs.push(definition);
    }

    pub(super) fn function(&mut self, sig: &syn::Signature, block: &syn::Block) {
        let first = sig.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        self.facts.functions.push(Function {
            name: plain(&sig.ident),
            span: span_of(sig.ident.span()),
            lines: (last - first + 1) as u32,
            test: self.test,
        });
    }

    pub(super) fn module(&mut self, item: &syn::ItemMod) {
        let name = plain(&item.ident);
        let attrs = item.attrs.iter();
        let named: Vec<(String, bool)> = attrs
            .filter_map(|it| {
                Some((
                    attributes::path_attr(it)?.value(),
                    it.path().is_ident("cfg_attr"),
                ))
            })
            .collect();
        let Some((_, items)) = &item.content else {
            let span = span_of(item.ident.span());
            let conditional = attributes::is_conditional(&item.attrs);
            return self.file_module(name, span, named, conditional);
        };
        let scope = self.inline_module(name, &named);
        self.within(scope, |walker| {
            items.iter().for_each(|it| walker.visit_item(it))
        });
    }

    /// `mod name;` with the files that it names, and whether each only under a `cfg_attr`.
    pub(super) fn file_module(
        &mut self,
        name: String,
        span: Span,
        named: Vec<(String, bool)>,
        conditional: bool,
    ) {
        self.facts.mods.push(ModDecl {
            name: name.clone(),
            span,
            scope: self.scope,
            paths_are_conditional: named.iter().all(|(_, conditional)| *conditional),
            paths: named.into_iter().map(|(it, _)| it).collect(),
            test: self.test,
            conditional: self.in_macro || conditional,
        });
        self.declare(name, Name::File(self.facts.mods.len() - 1));
    }

    /// Declares `mod name { … }`, and returns its scope, which comes next.
    pub(super) fn inline_module(&mut self, name: String, named: &[(String, bool)]) -> Scope {
        self.declare(name.clone(), Name::Inline(self.facts.scopes.len()));
        Scope {
            module: Some(name),
            module_path: named.first().map(|(it, _)| it.clone()),
            ..self.child()
        }
    }

    /// Whether the file declares the name itself.
    pub(super) fn is_own(&self, name: &str) -> bool {
        let mut scopes = self.facts.scopes.iter();
        scopes.any(|it| it.names.get(name) == Some(&Name::Value))
    }

    /// A file or folder that a macro reads, counted from the package.
    pub(super) fn package_path(&mut self, path: Option<String>, span: Span) {
        self.facts.includes.extend(path.map(|it| Include {
            source: false,
            file: Some(it),
            out_dir: false,
            from_manifest: true,
            test: self.test,
            span,
        }));
    }

    /// Names that the macro may declare as modules; what the macro does is known only later.
    pub(super) fn item_macro(&mut self, mac: &syn::Macro) {
        let arguments = tokens::idents(&mac.tokens);
        if let Some(last) = mac.path.segments.last().filter(|_| !arguments.is_empty()) {
            self.facts.item_macros.push(ItemMacro {
                name: plain(&last.ident),
                scope: self.scope,
                arguments,
            });
        }
    }
}
