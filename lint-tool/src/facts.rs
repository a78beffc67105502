//! What one file says, as plain data. `extract` is the only code that speaks `syn`.
//!
//! **Invariant:** facts of a file depend on its text alone, so that they can be cached by content.

mod allow;
mod attributes;
mod depth;
mod docs;
mod extract;
mod fast;
mod fixable;
mod generated;
mod items;
mod names;
mod sql_texts;
mod tokens;
mod types;
mod value;
mod walk;

use std::collections::BTreeMap;

pub use allow::Allow;
pub use extract::{extract, extract_by_tree};
pub(crate) use fixable::fixable;
pub(crate) use generated::is_generated;
pub(crate) use value::is_value;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;
use crate::sql::Statement;

/// Everything that rules need of one Rust file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Why the file could not be parsed. Then only `lines` and `allows` are filled.
    pub error: Option<(Span, String)>,
    pub lines: u32,
    /// The scope 0 is the file itself.
    pub scopes: Vec<Scope>,
    pub uses: Vec<Use>,
    pub paths: Vec<PathRef>,
    /// Names that stand alone and that a glob may bring: types, constants, traits, derives and what is
    /// called, each once a scope. None where the file has no glob.
    pub names: Vec<PathRef>,
    pub mods: Vec<ModDecl>,
    /// `#[macro_export]` macros, and the scope that each stands in: paths name them at the crate's root.
    pub exported_macros: Vec<(String, ScopeId)>,
    /// Modules that a `macro_rules` body declares, wherever it is used.
    pub macro_mods: Vec<String>,
    /// `macro_rules` that declare a module under a name that they are given.
    pub module_makers: Vec<String>,
    pub item_macros: Vec<ItemMacro>,
    pub path_attrs: Vec<PathAttr>,
    pub includes: Vec<Include>,
    pub structs: Vec<StructDef>,
    /// `impl From<A> for B` and its like: A and B.
    pub conversions: Vec<(PathRef, PathRef)>,
    /// A tool wrote the file, as its first lines say.
    pub generated: bool,
    pub sql: Vec<SqlText>,
    pub row_types: Vec<RowType>,
    pub functions: Vec<Function>,
    pub allows: Vec<Allow>,
}

/// An index into `Facts::scopes`.
pub type ScopeId = usize;

/// A region in which names are declared.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Scope {
    pub parent: Option<ScopeId>,
    /// The name of an inline module; `None` for the file, a block or generics.
    pub module: Option<String>,
    /// `#[path]` on an inline module moves the folder of its children.
    pub module_path: Option<String>,
    pub test: bool,
    pub names: BTreeMap<String, Name>,
    /// Glob imports, as indices into `Facts::uses`.
    pub globs: Vec<usize>,
}

/// What a name means in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Name {
    /// An inline module.
    Inline(ScopeId),
    /// A module in its own file, as an index into `Facts::mods`.
    File(usize),
    /// An import, as an index into `Facts::uses`.
    Use(usize),
    /// A type, trait or generic parameter.
    Type,
    /// A function, constant, static or macro.
    Value,
}

/// One piece of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub name: String,
    pub span: Span,
}

/// One leaf of a use tree, or an `extern crate`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Use {
    pub path: PathRef,
    /// The name that it declares; `None` for `_` and globs.
    pub alias: Option<String>,
    pub glob: bool,
    pub public: bool,
    pub extern_crate: bool,
    /// `#[macro_use]`
    pub macros: bool,
}

/// A path of two or more segments (or one after a leading `::`), wherever it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PathRef {
    pub segments: Vec<Segment>,
    pub leading_colon: bool,
    pub scope: ScopeId,
    pub test: bool,
    /// In code that is made for elsewhere (`macro_rules`, `quote!`) or in the name of an attribute,
    /// which may be a word to another macro: it need not lead anywhere here.
    pub quoted: bool,
}

impl PathRef {
    /// The path as written.
    pub fn text(&self) -> String {
        let names: Vec<&str> = self.segments.iter().map(|it| it.name.as_str()).collect();
        format!(
            "{}{}",
            if self.leading_colon { "::" } else { "" },
            names.join("::")
        )
    }

    /// The whole path, from its first to its last segment when they share a line.
    pub fn span(&self) -> Span {
        let (Some(first), Some(last)) = (self.segments.first(), self.segments.last()) else {
            return Span::START;
        };
        if first.span.line != last.span.line {
            return first.span;
        }
        Span {
            width: last.span.column + last.span.width - first.span.column,
            ..first.span
        }
    }
}

/// `mod name;`
#[derive(Debug, Serialize, Deserialize)]
pub struct ModDecl {
    pub name: String,
    pub span: Span,
    pub scope: ScopeId,
    /// Files that `#[path]` names; several with `cfg_attr`.
    pub paths: Vec<String>,
    /// No `#[path]` counts in each build, so the usual file is loaded too.
    pub paths_are_conditional: bool,
    pub test: bool,
    /// Under `#[cfg]`: its file may be absent.
    pub conditional: bool,
}

/// A macro call in the place of an item or, with braces, of a statement, and the names that it is given.
#[derive(Debug, Serialize, Deserialize)]
pub struct ItemMacro {
    pub name: String,
    pub scope: ScopeId,
    pub arguments: Vec<String>,
}

/// `#[path = "…"]`, also inside `cfg_attr`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PathAttr {
    pub value: String,
    pub span: Span,
}

/// `include!`, `include_str!`, `include_bytes!`, or a macro that reads a path from the package:
/// `sqlx::migrate!`, `embed_migrations!`, `query_file*!`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Include {
    pub source: bool,
    /// The file, where it is a plain literal.
    pub file: Option<String>,
    /// `concat!(env!("OUT_DIR"), …)`: what a build script wrote.
    pub out_dir: bool,
    /// `concat!(env!("CARGO_MANIFEST_DIR"), …)` and its like: the file is relative to the package.
    pub from_manifest: bool,
    pub test: bool,
    pub span: Span,
}

/// A struct with named fields, or an enum's name.
#[derive(Debug, Serialize, Deserialize)]
pub struct StructDef {
    pub name: String,
    pub span: Span,
    pub scope: ScopeId,
    pub test: bool,
    pub derives: Vec<String>,
    /// The table that an attribute names (diesel, sea-orm).
    pub table: Option<String>,
    pub fields: Vec<Field>,
}

/// A named field.
#[derive(Debug, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    /// The name in the database or on the wire, where an attribute says so.
    pub rename: Option<String>,
    pub ty: String,
    pub span: Span,
}

/// A string literal that is SQL.
#[derive(Debug, Serialize, Deserialize)]
pub struct SqlText {
    pub statement: Statement,
    pub span: Span,
    pub test: bool,
}

/// The type that `query_as` fills, and the table that the query reads first.
#[derive(Debug, Serialize, Deserialize)]
pub struct RowType {
    pub path: PathRef,
    pub table: Option<String>,
}

/// A function with a body.
#[derive(Debug, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    pub span: Span,
    pub lines: u32,
    pub test: bool,
}

/// The ignores of a source, also of one that no crate loads.
pub(crate) fn source_allows(text: &str) -> Vec<Allow> {
    if allow::has_any(text) {
        extract(text).allows
    } else {
        Vec::new()
    }
}

/// The ignores of a manifest.
pub(crate) fn manifest_allows(text: &str) -> Vec<Allow> {
    allow::read(text, "#", &[])
}
