//! Types as text without path prefixes, so that `chrono::DateTime` and `DateTime` compare equal.

use syn::visit::{self, Visit};

struct Words(String);

impl<'ast> Visit<'ast> for Words {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let Some(last) = path.segments.last() else {
            return;
        };
        self.0.push_str(&last.ident.to_string());
        if !last.arguments.is_none() {
            self.0.push('<');
            visit::visit_path_arguments(self, &last.arguments);
            self.0.push('>');
        }
    }
}

/// The names that a type is made of.
pub(super) fn text(ty: &syn::Type) -> String {
    let mut words = Words(String::new());
    words.visit_type(ty);
    words.0
}

/// The path of a type, also of a borrowed one.
pub(super) fn path(ty: &syn::Type) -> Option<&syn::Path> {
    match ty {
        syn::Type::Path(it) => Some(&it.path),
        syn::Type::Reference(it) => path(&it.elem),
        _ => None,
    }
}
