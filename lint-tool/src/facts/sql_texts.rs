//! Texts that may be SQL, and the types that their rows fill.

use proc_macro2::Literal;
use syn::{Expr, Lit, LitStr};

use super::extract::{Walker, span_of};
use super::{PathRef, RowType, SqlText};
use crate::diagnostic::Span;
use crate::sql;

/// A part of a text and where it stands.
pub(super) type Part = (String, Span);

/// An argument of `concat!`, if it is a literal string.
pub(super) fn part(argument: &Expr) -> Option<Part> {
    match argument {
        Expr::Lit(it) => match &it.lit {
            Lit::Str(text) => Some((text.value(), span_of(text.span()))),
            _ => None,
        },
        _ => None,
    }
}

impl Walker {
    /// The parts of a `concat!` as one text, where each is a literal string.
    pub(super) fn joined(&mut self, parts: Vec<Option<Part>>) {
        let parts: Option<Vec<Part>> = parts.into_iter().collect();
        let Some(parts) = parts.filter(|it| it.len() > 1) else {
            return;
        };
        let text: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        self.sql(&text, || parts[0].1);
        self.parts.extend(parts.into_iter().map(|(_, span)| span));
    }

    pub(super) fn text(&mut self, text: &LitStr) {
        self.sql(&text.value(), || span_of(text.span()));
    }

    /// A string, which may be SQL.
    pub(super) fn sql(&mut self, text: &str, span: impl FnOnce() -> Span) {
        if let Some(statement) = sql::read(text) {
            let span = span();
            if !self.parts.contains(&span) {
                let test = self.test;
                self.facts.sql.push(SqlText {
                    statement,
                    span,
                    test,
                });
            }
        }
    }

    pub(super) fn literal(&mut self, literal: Literal) {
        if let syn::Lit::Str(text) = syn::Lit::new(literal) {
            self.text(&text);
        }
    }

    pub(super) fn row_type(&mut self, row: &syn::Path, query: &syn::ExprLit) {
        if let syn::Lit::Str(text) = &query.lit {
            let path = self.path_of(row);
            self.row(path, &text.value());
        }
    }

    /// The type that a query fills.
    pub(super) fn row(&mut self, path: PathRef, query: &str) {
        let statement = sql::read(query).unwrap_or_default();
        let tables = statement.writes.into_iter().chain(statement.reads);
        let table = tables.chain(statement.calls).next();
        self.facts.row_types.push(RowType { path, table });
    }
}
