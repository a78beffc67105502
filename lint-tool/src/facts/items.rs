//! What items say beside their paths: conversions, and names and files that macros are given.

use super::extract::Walker;
use super::tokens::{self, plain};
use super::{Include, ItemMacro, Name, types};
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

    /// Whether the file declares the name itself.
    pub(super) fn is_own(&self, name: &syn::Ident) -> bool {
        let text = plain(name);
        let mut scopes = self.facts.scopes.iter();
        scopes.any(|it| it.names.get(&text) == Some(&Name::Value))
    }

    /// A file or folder that a macro reads, counted from the package.
    pub(super) fn package_path(&mut self, path: Option<syn::LitStr>, span: Span) {
        self.facts.includes.extend(path.map(|it| Include {
            source: false,
            file: Some(it.value()),
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

/// Whether the comments that a file begins with say that a tool wrote it.
pub(crate) fn is_generated(text: &str) -> bool {
    const MARKS: [&str; 4] = [
        "@generated",
        "do not edit",
        "code generated",
        "automatically generated",
    ];
    let comments = text
        .lines()
        .take(10)
        .filter(|it| it.trim_start().starts_with("//"));
    let mut comments = comments.map(str::to_ascii_lowercase);
    comments.any(|line| MARKS.iter().any(|it| line.contains(it)))
}
