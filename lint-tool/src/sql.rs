//! Which tables a SQL text writes, reads and creates.
//!
//! A grammar decides, in the dialects of PostgreSQL, MySQL and SQLite: what none of them can parse says
//! nothing, unless it begins like a statement that no prose begins like. Fragments that code completes
//! at run time are completed here, and what is written like English is English.

mod fragment;
mod prose;
mod script;
mod tables;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

/// The tables of one SQL text, in order of appearance.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub writes: Vec<String>,
    pub reads: Vec<String>,
    pub creates: Vec<String>,
    /// Functions that rows come from as from a table.
    pub calls: Vec<String>,
}

impl Statement {
    fn of(found: &[Found]) -> Statement {
        let mut statement = Statement::default();
        for it in found {
            let list = match it.access {
                Access::Write => &mut statement.writes,
                Access::Read => &mut statement.reads,
                Access::Create => &mut statement.creates,
                Access::Call => &mut statement.calls,
            };
            if !list.contains(&it.table) {
                list.push(it.table.clone());
            }
        }
        statement
    }
}

/// What is done to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    Read,
    Create,
    /// It is a function that stands where a table could.
    Call,
}

/// A table where a text names it.
#[derive(Debug, Clone)]
struct Found {
    table: String,
    access: Access,
    span: Span,
}

/// What a text begins with that has tables, or that stands before one that has.
const STARTS: [&str; 18] = [
    "insert", "update", "delete", "select", "with", "merge", "copy", "truncate", "create",
    "replace", "do", "prepare", "explain", "table", "declare", "begin", "start", "set",
];

/// A quick look, as nearly all texts are none.
fn may_be_sql(text: &str) -> bool {
    let start = text.trim_start_matches(|it: char| it.is_whitespace() || it == '(');
    let begins_with = |word: &str| {
        let same = start.get(..word.len());
        same.is_some_and(|it| it.eq_ignore_ascii_case(word))
            && start[word.len()..].starts_with(|it: char| !it.is_alphanumeric() && it != '_')
    };
    start.starts_with("--") || start.starts_with("/*") || STARTS.iter().any(|it| begins_with(it))
}

/// Reads a text that begins like SQL; `None` for any other text.
pub fn read(text: &str) -> Option<Statement> {
    if !may_be_sql(text) || prose::is_sentence(text) {
        return None;
    }
    let (text, written) = fragment::completed(text);
    let found = script::read(&text);
    let statement = Statement::of(&found);
    let mut tables = statement.writes.iter().chain(&statement.reads);
    let is_prose = !prose::has_signs(&text, written)
        && (!prose::is_plain_statement(&text) || tables.any(|it| prose::is_article(it)));
    (statement != Statement::default() && !is_prose).then_some(statement)
}

/// Reads a file of statements; one that cannot be parsed says nothing of the others.
pub fn read_file(text: &str) -> Statement {
    Statement::of(&script::read(text))
}

/// What a migration says of tables.
#[derive(Debug, Default)]
pub struct Migration {
    /// The tables that it creates, and where their names stand.
    pub creates: Vec<(String, Span)>,
    /// The tables that its views read.
    pub reads: Vec<(String, Span)>,
}

/// Reads what a migration creates.
pub fn migration(text: &str) -> Migration {
    let mut migration = Migration::default();
    for it in script::read_creating(text) {
        let list = match it.access {
            Access::Create => &mut migration.creates,
            Access::Read => &mut migration.reads,
            Access::Write | Access::Call => continue,
        };
        if !list.iter().any(|(table, _)| *table == it.table) {
            list.push((it.table, it.span));
        }
    }
    migration
}

#[cfg(test)]
mod tests;
