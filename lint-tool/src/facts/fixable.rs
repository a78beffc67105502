//! What a fix has to know beyond facts: where tokens of macros stand, and which items are plain.

use std::ops::Range;

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Line and column, from 1.
pub(crate) type Position = (u32, u32);

/// What may be rewritten in a file, and what may not.
#[derive(Debug, Default)]
pub(crate) struct Fixable {
    /// Tokens whose meaning only a macro knows.
    macros: Vec<Range<Position>>,
    /// `extern crate name;` at the top level with nothing around it.
    pub(crate) externs: Vec<(String, Range<Position>)>,
}

impl Fixable {
    /// Whether a place is code as it stands.
    pub(crate) fn is_plain(&self, at: Position) -> bool {
        !self.macros.iter().any(|it| it.contains(&at))
    }
}

/// Reads a file; nothing may be rewritten in one that cannot be parsed.
pub(crate) fn fixable(text: &str) -> Option<Fixable> {
    let file = super::extract::parse(text).ok()?;
    let mut fixable = Fixable::default();
    fixable.visit_file(&file);
    for item in &file.items {
        if let syn::Item::ExternCrate(it) = item
            && it.attrs.is_empty()
            && it.rename.is_none()
            && matches!(it.vis, syn::Visibility::Inherited)
        {
            let range = range(item.span());
            fixable.externs.push((it.ident.to_string(), range));
        }
    }
    proc_macro2::extra::invalidate_current_thread_spans();
    Some(fixable)
}

fn range(span: Span) -> Range<Position> {
    let position = |at: LineColumn| (at.line as u32, at.column as u32 + 1);
    position(span.start())..position(span.end())
}

impl<'ast> Visit<'ast> for Fixable {
    fn visit_macro(&mut self, it: &'ast syn::Macro) {
        self.macros.push(range(it.span()));
    }

    fn visit_attribute(&mut self, it: &'ast syn::Attribute) {
        self.macros.push(range(it.span()));
        visit::visit_attribute(self, it);
    }
}
