//! Tables and the structs that map to them, over the whole workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::diagnostic::{Place, Span};
use crate::edges::{Spot, package_spot, spot};
use crate::facts::{Facts, PathRef, RowType, StructDef};
use crate::files::SourceFiles;
use crate::modules::{ModuleId, Modules};
use crate::paths;
use crate::resolve::{Def, Resolver};
use crate::rules::likeness::Likeness;
use crate::sql;
use crate::workspace::Workspace;

/// Derives that tie a struct to the database.
const MAPPING_DERIVES: [&str; 9] = [
    "FromRow",
    "sqlx::Type",
    "Queryable",
    "QueryableByName",
    "Selectable",
    "Insertable",
    "AsChangeset",
    "Identifiable",
    "DeriveEntityModel",
];

/// Derives that tie a struct to a wire format.
const WIRE_DERIVES: [&str; 4] = ["Serialize", "Deserialize", "JsonSchema", "ToSchema"];

/// A struct, wherever it is named.
pub type StructId = (ModuleId, String);

/// What is known of one table.
#[derive(Debug, Default)]
pub struct Table {
    /// `create table` in a migration, with the package whose migration it is.
    pub declared: Vec<(Place, Option<usize>)>,
    pub writes: Vec<Access>,
    pub reads: Vec<Access>,
}

/// One statement that changes or reads a table.
#[derive(Debug)]
pub struct Access {
    pub package: usize,
    pub from: Spot,
    pub place: Place,
}

/// A struct with named fields outside of tests.
#[derive(Debug)]
pub struct Model {
    pub package: usize,
    pub name: String,
    pub from: Spot,
    pub place: Place,
    /// Column name → type.
    pub fields: BTreeMap<String, String>,
    pub tables: BTreeSet<String>,
    pub mapped: bool,
    /// Whether it is written to or read from a wire format.
    pub on_wire: bool,
    /// Whether a tool wrote its file.
    pub generated: bool,
    pub id: StructId,
}

/// Every table and every struct.
#[derive(Debug, Default)]
pub struct Models {
    pub tables: BTreeMap<String, Table>,
    pub structs: Vec<Model>,
    /// Pairs of structs with a conversion from one to the other.
    pub joined: BTreeSet<(StructId, StructId)>,
    /// Home, copy and how alike: what three rules ask for, found by the first.
    pub(crate) alike: OnceLock<Vec<(usize, usize, Likeness)>>,
}

impl Models {
    /// Reads migrations, SQL texts and structs.
    pub fn collect(files: &SourceFiles, workspace: &Workspace, modules: &Modules) -> Models {
        let mut models = Models::default();
        models.add_migrations(files, workspace, modules);
        let resolver = Resolver::new(workspace, modules);
        let rows = row_types(&resolver, modules);
        models.joined = conversions(&resolver, modules);
        let mut seen = BTreeSet::new();
        for (id, module, facts) in modules.files() {
            if seen.insert(&module.file) {
                models.add_statements(id, modules, facts);
                models.add_query_files(id, files, workspace, modules);
                let owners = modules.by_scope(id);
                for it in facts.structs.iter().filter(|it| !it.test && !module.test) {
                    let row = rows.get(&(owners[it.scope], it.name.clone()));
                    let mut found = model(modules, owners[it.scope], it, row);
                    found.generated = facts.generated;
                    models.structs.push(found);
                }
            }
        }
        // With migrations at hand, a name that none of them creates is no table.
        if models.tables.values().any(|it| !it.declared.is_empty()) {
            models.tables.retain(|_, it| !it.declared.is_empty());
        }
        models
    }

    fn add_migrations(&mut self, files: &SourceFiles, workspace: &Workspace, modules: &Modules) {
        for path in files.paths().filter(|it| is_migration(it)) {
            let text = files.get(path).unwrap_or_default();
            // A local package's root folder holds everything; its migrations are the workspace's.
            let package = workspace
                .package_of(path)
                .filter(|it| !workspace.packages[*it].dir.is_empty());
            let migration = sql::migration(text);
            for (table, span) in migration.creates {
                let declared = (Place::new(path, span), package);
                let table = self.tables.entry(table).or_default();
                table.declared.push(declared);
            }
            // A view reads for the package whose migration it is.
            let Some(package) = package else { continue };
            for (table, span) in migration.reads {
                let from = package_spot(workspace, modules, package);
                let place = Place::new(path, span);
                let table = self.tables.entry(table).or_default();
                table.reads.push(Access {
                    package,
                    from,
                    place,
                });
            }
        }
    }

    fn add_statements(&mut self, id: ModuleId, modules: &Modules, facts: &Facts) {
        let test = modules.all[id].test;
        for text in facts.sql.iter().filter(|it| !it.test && !test) {
            self.add_statement(id, modules, &text.statement, text.span);
        }
    }

    /// What `query_file!` and `include_str!` take in, where the macro stands. Migrations are read above.
    fn add_query_files(
        &mut self,
        id: ModuleId,
        files: &SourceFiles,
        workspace: &Workspace,
        modules: &Modules,
    ) {
        let module = &modules.all[id];
        let Some(facts) = modules.facts.get(&module.file).filter(|_| !module.test) else {
            return;
        };
        for include in facts.includes.iter().filter(|it| !it.test && !it.source) {
            let dir = if include.from_manifest {
                &workspace.packages[module.package].dir
            } else {
                paths::parent(&module.file)
            };
            let file = include.file.as_ref().and_then(|it| paths::join(dir, it));
            let file = file.filter(|it| it.ends_with(".sql") && !is_migration(it));
            if let Some(text) = file.and_then(|it| files.get(&it)) {
                let statement = sql::read_file(text);
                self.add_statement(id, modules, &statement, include.span);
            }
        }
    }

    fn add_statement(
        &mut self,
        id: ModuleId,
        modules: &Modules,
        statement: &sql::Statement,
        span: Span,
    ) {
        let module = &modules.all[id];
        let access = || Access {
            package: module.package,
            from: spot(modules, id),
            place: Place::new(&module.file, span),
        };
        for table in &statement.writes {
            let table = self.tables.entry(table.clone()).or_default();
            table.writes.push(access());
        }
        for table in &statement.reads {
            let table = self.tables.entry(table.clone()).or_default();
            table.reads.push(access());
        }
    }
}

/// Other SQL files may be anything: a dump, a query, test data.
pub(crate) fn is_migration(path: &str) -> bool {
    let mut folders = paths::parent(path).split('/');
    path.ends_with(".sql") && folders.any(|it| it.contains("migration"))
}

/// Every pair of structs that a conversion joins.
fn conversions(resolver: &Resolver, modules: &Modules) -> BTreeSet<(StructId, StructId)> {
    let mut joined = BTreeSet::new();
    for (id, _, facts) in modules.files() {
        let owners = modules.by_scope(id);
        let target = |path: &PathRef| resolver.resolve(owners[path.scope], path, None).target;
        for (one, other) in &facts.conversions {
            if let (Def::Item(a, one), Def::Item(b, other)) = (target(one), target(other)) {
                joined.insert(((a, one.clone()), (b, other.clone())));
                joined.insert(((b, other), (a, one)));
            }
        }
    }
    joined
}

/// Struct → the tables that `query_as` reads into it.
fn row_types(resolver: &Resolver, modules: &Modules) -> BTreeMap<StructId, BTreeSet<String>> {
    let mut rows: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for (id, module, facts) in modules.files().filter(|(_, it, _)| !it.test) {
        let owners = modules.by_scope(id);
        let mapped = facts
            .row_types
            .iter()
            .filter(|it| !it.path.test && !module.test);
        for RowType { path, table } in mapped {
            if let Def::Item(module, name) = resolver.resolve(owners[path.scope], path, None).target
            {
                rows.entry((module, name))
                    .or_default()
                    .extend(table.clone());
            }
        }
    }
    rows
}

fn model(modules: &Modules, id: ModuleId, it: &StructDef, row: Option<&BTreeSet<String>>) -> Model {
    let mut tables = row.cloned().unwrap_or_default();
    tables.extend(it.table.clone());
    let derives = |names: &[&str]| it.derives.iter().any(|it| names.contains(&it.as_str()));
    let fields = it.fields.iter();
    Model {
        package: modules.all[id].package,
        name: it.name.clone(),
        from: spot(modules, id),
        place: Place::new(&modules.all[id].file, it.span),
        fields: fields
            .map(|it| (it.rename.clone().unwrap_or(it.name.clone()), it.ty.clone()))
            .collect(),
        mapped: derives(&MAPPING_DERIVES) || row.is_some() || it.table.is_some(),
        on_wire: derives(&WIRE_DERIVES),
        generated: false,
        id: (id, it.name.clone()),
        tables,
    }
}
