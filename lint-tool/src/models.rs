//! Tables and the structs that map to them, over the whole workspace.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Place;
use crate::edges::{Spot, spot};
use crate::facts::{Facts, RowType, StructDef};
use crate::modules::{ModuleId, Modules};
use crate::paths;
use crate::resolve::{Def, Resolver};
use crate::sql;
use crate::tree::Tree;
use crate::workspace::Workspace;

/// Derives that tie a struct to the database.
const MAPPING_DERIVES: [&str; 8] = [
    "FromRow",
    "Queryable",
    "QueryableByName",
    "Selectable",
    "Insertable",
    "AsChangeset",
    "Identifiable",
    "DeriveEntityModel",
];

/// What is known of one table.
#[derive(Debug, Default)]
pub struct Table {
    /// `create table` in a migration, with the package whose migration it is.
    pub declared: Vec<(Place, Option<usize>)>,
    pub writes: Vec<Write>,
}

/// One statement that changes a table.
#[derive(Debug)]
pub struct Write {
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
}

/// Every table and every struct.
#[derive(Debug, Default)]
pub struct Models {
    pub tables: BTreeMap<String, Table>,
    pub structs: Vec<Model>,
}

impl Models {
    /// Reads migrations, SQL texts and structs.
    pub fn collect(tree: &Tree, workspace: &Workspace, modules: &Modules) -> Models {
        let mut models = Models::default();
        models.add_migrations(tree, workspace);
        let rows = row_types(workspace, modules);
        let mut seen = BTreeSet::new();
        for (id, module, facts) in modules.files() {
            if seen.insert(&module.file) {
                models.add_writes(id, modules, facts);
                let owners = modules.by_scope(id);
                for it in facts.structs.iter().filter(|it| !it.test && !module.test) {
                    let row = rows.get(&(owners[it.scope], it.name.clone()));
                    models
                        .structs
                        .push(model(modules, owners[it.scope], it, row));
                }
            }
        }
        // With migrations at hand, a name that none of them creates is no table.
        if models.tables.values().any(|it| !it.declared.is_empty()) {
            models.tables.retain(|_, it| !it.declared.is_empty());
        }
        models
    }

    fn add_migrations(&mut self, tree: &Tree, workspace: &Workspace) {
        let scripts = tree.paths().filter(|it| {
            it.ends_with(".sql")
                && paths::parent(it)
                    .split('/')
                    .any(|it| it.contains("migration"))
        });
        for path in scripts {
            let text = tree.get(path).unwrap_or_default();
            // A local package's root folder holds everything; its migrations are the workspace's.
            let package = workspace
                .package_of(path)
                .filter(|it| !workspace.packages[*it].dir.is_empty());
            for (table, span) in sql::declarations(text) {
                let declared = (Place::new(path, span), package);
                self.tables
                    .entry(table)
                    .or_default()
                    .declared
                    .push(declared);
            }
        }
    }

    fn add_writes(&mut self, id: ModuleId, modules: &Modules, facts: &Facts) {
        let module = &modules.all[id];
        for text in facts.sql.iter().filter(|it| !it.test && !module.test) {
            for table in &text.statement.writes {
                self.tables
                    .entry(table.clone())
                    .or_default()
                    .writes
                    .push(Write {
                        package: module.package,
                        from: spot(modules, id),
                        place: Place::new(&module.file, text.span),
                    });
            }
        }
    }
}

/// Struct → the tables that `query_as` reads into it.
fn row_types(
    workspace: &Workspace,
    modules: &Modules,
) -> BTreeMap<(ModuleId, String), BTreeSet<String>> {
    let resolver = Resolver::new(workspace, modules);
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
    let derived = it
        .derives
        .iter()
        .any(|it| MAPPING_DERIVES.contains(&it.as_str()));
    let fields = it.fields.iter();
    Model {
        package: modules.all[id].package,
        name: it.name.clone(),
        from: spot(modules, id),
        place: Place::new(&modules.all[id].file, it.span),
        fields: fields
            .map(|it| (it.rename.clone().unwrap_or(it.name.clone()), it.ty.clone()))
            .collect(),
        mapped: derived || row.is_some() || it.table.is_some(),
        tables,
    }
}
