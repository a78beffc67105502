//! The tables of parsed statements: what is written, what is read, and which names are of the query alone.

use std::ops::ControlFlow;

use sqlparser::ast::{
    AssignmentTarget, CopySource, CreateTable, Delete, FromTable, Ident, ObjectName,
    ObjectNamePart, Query, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, Update,
    Visit, Visitor,
};

use super::{Access, Found, fragment};
use crate::diagnostic::Span;

/// Schemas that a name is as good without.
const USUAL: [&str; 3] = ["public", "main", "dbo"];

/// Schemas of the database itself, and of the session.
const SYSTEM: [&str; 6] = [
    "information_schema",
    "pg_catalog",
    "pg_temp",
    "temp",
    "mysql",
    "sys",
];

/// Every table of the statements, in order of appearance.
pub(super) fn of(statements: &[Statement]) -> Vec<Found> {
    let mut tables = Tables::default();
    for it in statements {
        let _ = it.visit(&mut tables);
    }
    tables.found
}

/// The table that the parts of a name stand for; nothing for those of the database itself.
pub(super) fn named(parts: &[Ident], access: Access) -> Option<Found> {
    let folded: Vec<String> = parts.iter().map(folded).collect();
    let (table, schemas) = folded.split_last()?;
    let is_system = schemas.iter().any(|it| SYSTEM.contains(&it.as_str()))
        || table.starts_with("pg_")
        || table.starts_with("sqlite_")
        || table == "dual" && schemas.is_empty();
    let is_known = |it: &&String| !it.contains(fragment::HOLE) && !USUAL.contains(&it.as_str());
    let schemas: Vec<&String> = schemas.iter().filter(is_known).collect();
    if is_system || table.contains(fragment::HOLE) || table.is_empty() {
        return None;
    }
    let schema: String = schemas.iter().map(|it| format!("{it}.")).collect();
    Some(Found {
        table: schema + table,
        access,
        span: parts.last().map_or(Span::START, span),
    })
}

/// As the database takes a name: without quotes in lower case. Where `"` keeps the case, other signs
/// stand for databases that do not.
fn folded(it: &Ident) -> String {
    if it.quote_style == Some('"') {
        it.value.clone()
    } else {
        it.value.to_lowercase()
    }
}

fn span(it: &Ident) -> Span {
    let (start, end) = (it.span.start, it.span.end);
    Span {
        line: start.line.max(1) as u32,
        column: start.column.max(1) as u32,
        width: end.column.saturating_sub(start.column).max(1) as u32,
    }
}

fn parts(name: &ObjectName) -> Vec<Ident> {
    let parts = name.0.iter().filter_map(ObjectNamePart::as_ident);
    parts.cloned().collect()
}

/// The names that a `with` declares, as far as the walk has come.
#[derive(Default)]
struct Names {
    known: Vec<String>,
    /// Queries of the `with`, by address, and the names that they have once they end.
    pending: Vec<(*const Query, String)>,
}

#[derive(Default)]
struct Tables {
    found: Vec<Found>,
    scopes: Vec<Names>,
    /// Tables that are written, by address: they stand where others are read.
    written: Vec<*const TableFactor>,
}

impl Tables {
    fn add(&mut self, name: &ObjectName, access: Access) {
        let parts = parts(name);
        let is_own = access == Access::Read
            && matches!(parts.as_slice(), [it] if self.is_declared(&folded(it)));
        if !is_own {
            self.found.extend(named(&parts, access));
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.scopes
            .iter()
            .any(|it| it.known.iter().any(|it| it == name))
    }

    fn write(&mut self, factor: &TableFactor) {
        if let TableFactor::Table { name, .. } = factor {
            self.written.push(factor);
            self.add(name, Access::Write);
        }
    }

    /// Of several tables those are written that a column is named of, else the first.
    fn update(&mut self, it: &Update) {
        let joined = it.table.joins.iter().map(|it| &it.relation);
        let all: Vec<&TableFactor> = std::iter::once(&it.table.relation).chain(joined).collect();
        let columns = it.assignments.iter().filter_map(|it| match &it.target {
            AssignmentTarget::ColumnName(name) => Some(parts(name)),
            AssignmentTarget::Tuple(_) => None,
        });
        let owners: Vec<String> = columns
            .filter(|it| it.len() > 1)
            .filter_map(|it| Some(folded(it.get(it.len() - 2)?)))
            .collect();
        let mut any = false;
        for factor in all
            .iter()
            .filter(|it| owners.iter().any(|name| is_called(it, name)))
        {
            self.write(factor);
            any = true;
        }
        if !any {
            self.write(&it.table.relation);
        }
    }

    fn delete(&mut self, it: &Delete) {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &it.from;
        if it.tables.is_empty() {
            return from.iter().for_each(|it| self.write(&it.relation));
        }
        let using = it.using.iter().flatten();
        let all: Vec<&TableFactor> = from.iter().chain(using).flat_map(factors).collect();
        for name in &it.tables {
            let parts = parts(name);
            let name = parts.last().map(folded).unwrap_or_default();
            if let Some(factor) = all.iter().find(|it| is_called(it, &name)) {
                self.write(factor);
            }
        }
    }

    fn create(&mut self, it: &CreateTable) {
        if !it.temporary {
            self.add(&it.name, Access::Create);
        }
    }
}

fn factors(it: &TableWithJoins) -> impl Iterator<Item = &TableFactor> {
    std::iter::once(&it.relation).chain(it.joins.iter().map(|it| &it.relation))
}

/// Whether columns name the table so: by its alias, or by its own name.
fn is_called(it: &TableFactor, called: &str) -> bool {
    match it {
        TableFactor::Table {
            alias: Some(alias), ..
        } => folded(&alias.name) == called,
        TableFactor::Table { name, .. } => {
            parts(name).last().map(folded).as_deref() == Some(called)
        }
        _ => false,
    }
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(it) => {
                if let TableObject::TableName(name) = &it.table {
                    self.add(name, Access::Write);
                }
            }
            Statement::Update(it) => self.update(it),
            Statement::Delete(it) => self.delete(it),
            Statement::Merge(it) => self.write(&it.table),
            Statement::Truncate(it) => {
                let names = it.table_names.iter();
                names.for_each(|it| self.add(&it.name, Access::Write));
            }
            Statement::CreateTable(it) => self.create(it),
            Statement::Copy {
                source: CopySource::Table { table_name, .. },
                to,
                ..
            } => {
                let access = if *to { Access::Read } else { Access::Write };
                self.add(table_name, access);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut names = Names::default();
        for it in query.with.iter().flat_map(|it| &it.cte_tables) {
            let name = folded(&it.alias.name);
            if query.with.as_ref().is_some_and(|it| it.recursive) {
                names.known.push(name);
            } else {
                names.pending.push((&*it.query, name));
            }
        }
        self.scopes.push(names);
        if let SetExpr::Table(it) = &*query.body
            && let Some(name) = &it.table_name
        {
            let parts = it.schema_name.iter().chain([name]).cloned();
            let name = ObjectName(parts.map(ObjectNamePart::Identifier).collect());
            self.add(&name, Access::Read);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.scopes.pop();
        // A name of a `with` is one for the queries after its own.
        if let Some(around) = self.scopes.last_mut() {
            let ended = around
                .pending
                .iter()
                .find(|(it, _)| std::ptr::eq(*it, query));
            if let Some((_, name)) = ended {
                around.known.push(name.clone());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            _ if self.written.iter().any(|it| std::ptr::eq(*it, factor)) => {}
            TableFactor::Table {
                name, args: None, ..
            } => self.add(name, Access::Read),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                self.add(name, Access::Call);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
