//! The module tree, loaded as rustc loads it, with every `cfg` taken as on.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::cache::{Entry, FactCache, Hash};
use crate::diagnostic::{Diagnostic, Place};
use crate::facts::{Facts, ModDecl, ScopeId};
use crate::files::SourceFiles;
use crate::paths;
use crate::workspace::{TargetKind, Workspace};

/// An index into `Modules::all`.
pub type ModuleId = usize;

/// One module of one crate. A file that two crates load is two modules.
#[derive(Debug)]
pub struct Module {
    pub package: usize,
    pub target: TargetKind,
    pub root: ModuleId,
    pub parent: Option<ModuleId>,
    /// The package's name and the modules down to this one: `aam::db::connections`.
    pub path: String,
    pub file: String,
    pub scope: ScopeId,
    pub test: bool,
    pub children: BTreeMap<String, ModuleId>,
    /// Whether children lie beside the file, as for `mod.rs` and crate roots.
    owns_folder: bool,
}

/// Every module, and the facts of every file that a module stands in.
#[derive(Debug, Default)]
pub struct Modules {
    pub all: Vec<Module>,
    pub facts: BTreeMap<String, Facts>,
    /// The library of each package that has one.
    libs: BTreeMap<usize, ModuleId>,
    /// `mod` declarations without a file, or with two.
    pub problems: Vec<Diagnostic>,
}

impl Modules {
    /// Loads every target of every package.
    pub fn load(files: &SourceFiles, workspace: &Workspace) -> Modules {
        Modules::load_with(files, workspace, &FactCache::default())
    }

    /// Loads every target of every package; what the cache knows is not parsed.
    pub(crate) fn load_with(
        files: &SourceFiles,
        workspace: &Workspace,
        cache: &FactCache,
    ) -> Modules {
        let mut modules = Modules::default();
        let mut frontier = Vec::new();
        let mut hashes = Vec::new();
        for (package, it) in workspace.packages.iter().enumerate() {
            for target in &it.targets {
                frontier.push(modules.add_root(package, &it.ident, target.kind, &target.root));
            }
        }
        while !frontier.is_empty() {
            hashes.extend(modules.extract(files, &frontier, cache));
            frontier = frontier
                .into_iter()
                .flat_map(|it| modules.expand(files, it))
                .collect();
        }
        cache.keep(
            hashes.iter().filter_map(|(file, hash, is_new)| {
                Some((*hash, *is_new, modules.facts.get(file)?))
            }),
        );
        modules
    }

    /// The crate root of a package's library.
    pub fn lib_of(&self, package: usize) -> Option<ModuleId> {
        self.libs.get(&package).copied()
    }

    /// The modules that are the whole of a file.
    pub fn files(&self) -> impl Iterator<Item = (ModuleId, &Module, &Facts)> {
        let files = self.all.iter().enumerate().filter(|(_, it)| it.scope == 0);
        files.filter_map(|(id, it)| Some((id, it, self.facts.get(&it.file)?)))
    }

    /// The module that each scope of a file belongs to.
    pub fn by_scope(&self, file_root: ModuleId) -> Vec<ModuleId> {
        let Some(facts) = self.facts.get(&self.all[file_root].file) else {
            return Vec::new();
        };
        let mut owners: Vec<ModuleId> = Vec::with_capacity(facts.scopes.len());
        for scope in &facts.scopes {
            let owner = scope.parent.map_or(file_root, |it| owners[it]);
            let child = scope
                .module
                .as_ref()
                .and_then(|name| self.all[owner].children.get(name));
            owners.push(child.copied().unwrap_or(owner));
        }
        owners
    }

    /// Whether `ancestor` is `module` or holds it.
    pub fn holds(&self, ancestor: ModuleId, module: ModuleId) -> bool {
        std::iter::successors(Some(module), |it| self.all[*it].parent).any(|it| it == ancestor)
    }

    fn add_root(
        &mut self,
        package: usize,
        ident: &str,
        target: TargetKind,
        file: &str,
    ) -> ModuleId {
        let id = self.all.len();
        if target == TargetKind::Lib {
            self.libs.insert(package, id);
        }
        self.all.push(Module {
            package,
            target,
            root: id,
            parent: None,
            path: ident.to_owned(),
            file: file.to_owned(),
            scope: 0,
            test: matches!(
                target,
                TargetKind::Test | TargetKind::Bench | TargetKind::Example
            ),
            children: BTreeMap::new(),
            owns_folder: true,
        });
        id
    }

    fn add_child(
        &mut self,
        parent: ModuleId,
        name: &str,
        file: String,
        scope: ScopeId,
    ) -> ModuleId {
        let id = self.all.len();
        let above = &self.all[parent];
        let module = Module {
            package: above.package,
            target: above.target,
            root: above.root,
            parent: Some(parent),
            path: format!("{}::{name}", above.path),
            file,
            scope,
            test: above.test,
            children: BTreeMap::new(),
            owns_folder: above.owns_folder,
        };
        self.all.push(module);
        // Of two modules with one name (two cfg branches) the first one answers.
        self.all[parent]
            .children
            .entry(name.to_owned())
            .or_insert(id);
        id
    }

    /// Reads the files of new modules, in parallel. Returns what the cache should keep.
    fn extract(
        &mut self,
        files: &SourceFiles,
        frontier: &[ModuleId],
        cache: &FactCache,
    ) -> Vec<(String, Hash, bool)> {
        let named: BTreeSet<&str> = frontier
            .iter()
            .map(|it| self.all[*it].file.as_str())
            .collect();
        let new: Vec<&str> = named
            .into_iter()
            .filter(|it| !self.facts.contains_key(*it))
            .collect();
        let read: Vec<(&str, Entry)> = new
            .into_par_iter()
            .filter_map(|file| Some((file, cache.facts_of(files.get(file)?))))
            .collect();
        let mut hashes = Vec::with_capacity(read.len());
        for (file, it) in read {
            hashes.push((file.to_owned(), it.hash, it.is_new));
            self.facts.insert(file.to_owned(), it.facts);
        }
        hashes
    }

    /// Adds the inline modules of a file, and returns the modules that it declares in other files.
    fn expand(&mut self, files: &SourceFiles, file_root: ModuleId) -> Vec<ModuleId> {
        let file = self.all[file_root].file.clone();
        // Taken out while modules are added, so that both can be borrowed.
        let Some(facts) = self.facts.remove(&file) else {
            return Vec::new();
        };
        let mut owners = vec![file_root];
        for (scope, it) in facts.scopes.iter().enumerate().skip(1) {
            let owner = it.parent.map_or(file_root, |it| owners[it]);
            owners.push(match &it.module {
                Some(name) => self.add_child(owner, name, file.clone(), scope),
                None => owner,
            });
            if it.test {
                let owner = owners[scope];
                self.all[owner].test |= it.module.is_some();
            }
        }
        let mut loaded = Vec::new();
        for decl in &facts.mods {
            loaded.extend(self.load_declared(files, file_root, &facts, decl, owners[decl.scope]));
        }
        self.facts.insert(file, facts);
        loaded
    }

    fn load_declared(
        &mut self,
        files: &SourceFiles,
        file_root: ModuleId,
        facts: &Facts,
        decl: &ModDecl,
        owner: ModuleId,
    ) -> Vec<ModuleId> {
        let named = named_file(&self.all[file_root], facts, decl);
        let usual = usual_files(&self.all[file_root], facts, decl);
        let (named, usual) = (existing(files, named), existing(files, usual));
        let place = Place::new(&self.all[file_root].file, decl.span);
        self.problems.extend(problem(decl, place, &named, &usual));
        let mut loaded = Vec::new();
        for (file, is_named) in named
            .0
            .into_iter()
            .map(|it| (it, true))
            .chain(usual.0.into_iter().map(|it| (it, false)).take(1))
        {
            let mut above = std::iter::successors(Some(owner), |it| self.all[*it].parent);
            if above.any(|it| self.all[it].file == file) {
                continue;
            }
            if let Some(known) = self.same_child(owner, &decl.name, &file) {
                self.all[known].test &= decl.test || self.all[owner].test;
                continue;
            }
            let id = self.add_child(owner, &decl.name, file, 0);
            let module = &mut self.all[id];
            module.test |= decl.test;
            module.owns_folder = is_named || paths::file_name(&module.file) == "mod.rs";
            loaded.push(id);
        }
        loaded
    }

    /// The module that another cfg branch has loaded from the same file.
    fn same_child(&self, owner: ModuleId, name: &str, file: &str) -> Option<ModuleId> {
        let known = self.all[owner].children.get(name).copied()?;
        (self.all[known].file == file && self.all[known].scope == 0).then_some(known)
    }
}

/// Files that exist, and all that were looked for.
fn existing(files: &SourceFiles, candidates: Vec<String>) -> (Vec<String>, Vec<String>) {
    let found = candidates.iter().filter(|it| files.has(it));
    (found.cloned().collect(), candidates)
}

/// The files that `#[path]` names.
fn named_file(file_root: &Module, facts: &Facts, decl: &ModDecl) -> Vec<String> {
    let inline = inline_folders(facts, decl.scope);
    let beside = paths::parent(&file_root.file);
    let folder = match inline.as_str() {
        "" => beside.to_owned(),
        inline => format!("{}/{inline}", own_folder(file_root)),
    };
    let files = decl.paths.iter();
    files.filter_map(|it| paths::join(&folder, it)).collect()
}

/// The files that rustc looks for without `#[path]`.
fn usual_files(file_root: &Module, facts: &Facts, decl: &ModDecl) -> Vec<String> {
    if !decl.paths_are_conditional {
        return Vec::new();
    }
    let inline = inline_folders(facts, decl.scope);
    let folder = paths::join(own_folder(file_root), &inline).unwrap_or_default();
    let name = &decl.name;
    let names = [format!("{name}.rs"), format!("{name}/mod.rs")];
    names
        .iter()
        .filter_map(|it| paths::join(&folder, it))
        .collect()
}

/// The folder that a file's modules lie in.
fn own_folder(file_root: &Module) -> &str {
    if file_root.owns_folder {
        paths::parent(&file_root.file)
    } else {
        file_root.file.trim_end_matches(".rs")
    }
}

/// The folders that the inline modules around a scope stand for.
fn inline_folders(facts: &Facts, scope: ScopeId) -> String {
    let around = std::iter::successors(Some(scope), |it| facts.scopes[*it].parent);
    let mut names: Vec<&str> = around
        .filter_map(|it| {
            let scope = &facts.scopes[it];
            scope.module_path.as_deref().or(scope.module.as_deref())
        })
        .collect();
    names.reverse();
    names.join("/")
}

type Looked = (Vec<String>, Vec<String>);

fn problem(decl: &ModDecl, place: Place, named: &Looked, usual: &Looked) -> Option<Diagnostic> {
    let name = &decl.name;
    if usual.0.len() > 1 {
        let message = format!(
            "module `{name}` has two files: `{}`",
            usual.0.join("` and `")
        );
        return Some(Diagnostic::new("SL901", place, message).help("delete or rename one of them"));
    }
    // A cfg may be the reason that the file is not there.
    let is_missing = named.0.is_empty() && usual.0.is_empty() && !decl.conditional;
    is_missing.then(|| {
        let looked: Vec<String> = [&named.1[..], &usual.1[..]].concat();
        let help = format!(
            "create `{}` or remove the declaration",
            looked.join("` or `")
        );
        Diagnostic::new("SL901", place, format!("module `{name}` has no file")).help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fixture: &str, expected: &str) {
        let files = SourceFiles::fixture(fixture);
        let modules = Modules::load(&files, &Workspace::load(&files).unwrap());
        let mut seen: Vec<String> = modules
            .all
            .iter()
            .map(|it| format!("{}={}", it.path, it.file))
            .collect();
        seen.extend(modules.problems.iter().map(|it| it.message.clone()));
        assert_eq!(seen.join("\n"), expected);
    }

    #[test]
    fn files_are_found_as_rustc_finds_them() {
        check(
            "//- src/lib.rs\nmod a;\nmod r#type;\nmod inline { mod c; }\n#[path = \"odd/place.rs\"]\nmod p;\n\
             //- src/a.rs\nmod b;\n//- src/a/b/mod.rs\n//- src/type.rs\n//- src/inline/c.rs\n\
             //- src/odd/place.rs\nmod q;\n//- src/odd/q.rs\n",
            "app=src/lib.rs\napp::inline=src/lib.rs\napp::a=src/a.rs\napp::type=src/type.rs\n\
             app::inline::c=src/inline/c.rs\napp::p=src/odd/place.rs\napp::a::b=src/a/b/mod.rs\n\
             app::p::q=src/odd/q.rs",
        );
    }

    #[test]
    fn conditional_paths_and_macros_load_every_branch() {
        check(
            "//- src/lib.rs\n#[cfg_attr(unix, path = \"u.rs\")]\n#[cfg_attr(windows, path = \"w.rs\")]\nmod a;\n\
             cfg_if! { if #[cfg(unix)] { mod b; } else { mod c; } }\n\
             f! { #![all(x)] mod d; }\n//- src/u.rs\n//- src/w.rs\n//- src/a.rs\n//- src/b.rs\n//- src/d.rs\n",
            "app=src/lib.rs\napp::a=src/u.rs\napp::a=src/w.rs\napp::a=src/a.rs\napp::b=src/b.rs\napp::d=src/d.rs",
        );
    }

    #[test]
    fn two_cfg_branches_with_one_file_are_one_module() {
        check(
            "//- src/lib.rs\n#[cfg(unix)]\nmod a;\n#[cfg(not(unix))]\npub mod a;\n//- src/a.rs\nmod b;\n//- src/a/b.rs\n",
            "app=src/lib.rs\napp::a=src/a.rs\napp::a::b=src/a/b.rs",
        );
    }

    #[test]
    fn a_module_without_a_file_or_with_two_is_a_problem() {
        check(
            "//- src/lib.rs\nmod a;\nmod b;\n#[cfg(unix)]\nmod c;\n//- src/b.rs\n//- src/b/mod.rs\n",
            "app=src/lib.rs\napp::b=src/b.rs\nmodule `a` has no file\n\
             module `b` has two files: `src/b.rs` and `src/b/mod.rs`",
        );
    }
}
