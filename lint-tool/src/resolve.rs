//! From a path to what it names: scopes, imports, globs, re-exports, the extern prelude.
//!
//! **Invariant:** an answer is either certain or `Unknown`; nothing is guessed from a name.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::cycle_memo::{CycleMemo, MemoCycle};
use crate::facts::{Facts, Name, PathRef, ScopeId};
use crate::modules::{ModuleId, Modules};
use crate::workspace::{Extern, TargetKind, Workspace};

/// What a path, or its beginning, names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Def {
    Module(ModuleId),
    /// A name in a module, and whatever belongs to it.
    Item(ModuleId, String),
    /// A path into a crate from elsewhere.
    Outside(Vec<String>),
    /// Something of the surrounding block: a generic parameter, `Self`, a built-in type.
    Local,
    Unknown,
}

/// The answer for one path.
#[derive(Debug)]
pub struct Resolution {
    /// Where the path leads when re-exports are followed.
    pub target: Def,
    /// Where it leads as written: the module that re-exports, if there is one.
    pub written: Option<Def>,
    /// Whether the first segment is an import of the same file.
    pub by_alias: bool,
    /// The segment that enters the target's module.
    pub segment: usize,
}

/// Answers questions about paths, and remembers the answers.
pub struct Resolver<'a> {
    workspace: &'a Workspace,
    modules: &'a Modules,
    /// The facts of each module's file; looking them up by name costs more than most answers.
    facts: Vec<Option<&'a Facts>>,
    imports: CycleMemo<(ModuleId, usize), Def>,
    names: CycleMemo<(ModuleId, bool, bool, String), (Def, bool)>,
    /// Macros that declare modules under names that they are given.
    makers: BTreeSet<&'a str>,
    /// `#[macro_export]` macros by the root of their crate, where paths name them, and their modules.
    exported: BTreeMap<(ModuleId, &'a str), ModuleId>,
    /// Names that macro calls of each package are given.
    given: BTreeSet<(usize, &'a str)>,
}

/// Where a question is asked.
#[derive(Clone, Copy)]
struct Asking {
    module: ModuleId,
    scope: ScopeId,
}

/// The crates that come with the compiler.
pub(crate) const BUILT_IN: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];
/// Names that attributes and lints begin with.
const TOOLS: [&str; 6] = [
    "clippy",
    "diagnostic",
    "miri",
    "rust_analyzer",
    "rustdoc",
    "rustfmt",
];
const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
    "i128", "isize", "f32", "f64",
];

impl<'a> Resolver<'a> {
    /// A resolver that has answered nothing yet.
    pub fn new(workspace: &'a Workspace, modules: &'a Modules) -> Resolver<'a> {
        let circle = Rc::<MemoCycle>::default();
        Resolver {
            workspace,
            modules,
            facts: modules
                .all
                .iter()
                .map(|it| modules.facts.get(&it.file))
                .collect(),
            imports: CycleMemo::new(circle.clone()),
            names: CycleMemo::new(circle),
            makers: modules
                .facts
                .values()
                .flat_map(|it| it.module_makers.iter().map(String::as_str))
                .collect(),
            exported: exported(modules),
            given: given(modules),
        }
    }

    /// Resolves a path that stands in `module`. `import` is the index of the use that it is.
    pub fn resolve(&self, module: ModuleId, path: &PathRef, import: Option<usize>) -> Resolution {
        let asking = Asking {
            module,
            scope: path.scope,
        };
        let mut found = match import {
            // An import does not answer its own question: `use b;` means the crate.
            Some(index) => {
                let mut found = self
                    .imports
                    .during((module, index), || self.walk(path, true, asking));
                found.target = self.declared(module, index, found.target);
                found
            }
            None => self.walk(path, false, asking),
        };
        if found.target == Def::Unknown && !path.leading_colon {
            found.target = self.unseen(path, import.is_some(), asking);
        }
        found
    }

    fn facts(&self, module: ModuleId) -> Option<&'a Facts> {
        self.facts[module]
    }

    fn walk(&self, path: &PathRef, is_import: bool, asking: Asking) -> Resolution {
        let names: Vec<&str> = path.segments.iter().map(|it| it.name.as_str()).collect();
        let (mut def, mut at, by_alias) = self.first(&names, path.leading_colon, is_import, asking);
        let mut segment = at.saturating_sub(1);
        let mut written = None;
        while let Some(name) = names.get(at) {
            def = match def {
                Def::Module(module) => {
                    match self.in_module(module, name, at + 1 == names.len(), asking.module) {
                        Some((next, imported)) => {
                            if imported && module != asking.module && written.is_none() {
                                written = Some(Def::Item(module, (*name).to_owned()));
                            } else if written.is_none() && self.is_within(&next, asking.module) {
                                segment = at;
                            }
                            next
                        }
                        None => {
                            let item = Def::Item(module, (*name).to_owned());
                            match self.exported.get(&(module, *name)) {
                                Some(owner) => {
                                    written.get_or_insert(item);
                                    Def::Item(*owner, (*name).to_owned())
                                }
                                None => item,
                            }
                        }
                    }
                }
                Def::Outside(mut path) => {
                    path.push((*name).to_owned());
                    Def::Outside(path)
                }
                other => other,
            };
            at += 1;
        }
        Resolution {
            target: def,
            written,
            by_alias,
            segment,
        }
    }

    /// Whether it is a module of the package that asks. A path into another package is entered by its
    /// first segment.
    fn is_within(&self, def: &Def, module: ModuleId) -> bool {
        let package = |it: ModuleId| self.modules.all[it].package;
        matches!(def, Def::Module(it) if package(*it) == package(module))
    }

    /// What the first segments name, how many they are, and whether through an import in this file.
    fn first(
        &self,
        names: &[&str],
        leading: bool,
        is_import: bool,
        asking: Asking,
    ) -> (Def, usize, bool) {
        let here = &self.modules.all[asking.module];
        let edition = self.workspace.packages[here.package].edition;
        let Some(first) = names.first() else {
            return (Def::Module(here.root), 0, false);
        };
        match *first {
            "crate" => (Def::Module(here.root), 1, false),
            // `extern crate self as me;`
            "self" if leading => (Def::Module(here.root), 1, false),
            "self" | "super" => {
                let (def, count) = self.relative(names, asking.module);
                (def, count, false)
            }
            "Self" => (Def::Local, 1, false),
            name if leading || (edition == 2015 && is_import) => {
                let in_root = if edition == 2015 {
                    self.in_module(here.root, name, names.len() == 1, asking.module)
                } else {
                    None
                };
                let def = in_root
                    .map(|(def, _)| def)
                    .unwrap_or_else(|| self.prelude(asking.module, name));
                (def, 1, false)
            }
            name => match self.in_scopes(name, names.len() == 1, asking) {
                Some((def, imported)) => (def, 1, imported),
                None => (self.prelude(asking.module, name), 1, false),
            },
        }
    }

    fn relative(&self, names: &[&str], module: ModuleId) -> (Def, usize) {
        let mut def = Some(module);
        let mut count = 0;
        for name in names
            .iter()
            .take_while(|it| **it == "self" || **it == "super")
        {
            if *name == "super" {
                def = def.and_then(|it| self.modules.all[it].parent);
            }
            count += 1;
        }
        (def.map_or(Def::Unknown, Def::Module), count)
    }

    /// Looks outward from a scope to its module. The flag says that an import answered.
    fn in_scopes(&self, name: &str, is_last: bool, asking: Asking) -> Option<(Def, bool)> {
        let facts = self.facts(asking.module)?;
        let end = self.modules.all[asking.module].scope;
        let mut scope = asking.scope;
        while scope != end {
            if let Some(found) = self.in_scope(asking.module, scope, name, is_last, true) {
                return Some(found);
            }
            scope = facts.scopes[scope].parent?;
        }
        self.in_module(asking.module, name, is_last, asking.module)
    }

    /// Looks a name up in a module, as `viewer` sees it: private imports are for those inside. Values
    /// count for the last name of a path alone: nothing is within them.
    fn in_module(
        &self,
        module: ModuleId,
        name: &str,
        is_last: bool,
        viewer: ModuleId,
    ) -> Option<(Def, bool)> {
        let inside = self.modules.holds(module, viewer);
        let scope = self.modules.all[module].scope;
        let key = (module, inside, is_last, name.to_owned());
        self.names
            .recall(key, || self.in_scope(module, scope, name, is_last, inside))
    }

    /// What a name alone means where a glob brings it, and the module whose content that glob is.
    pub fn by_glob(&self, module: ModuleId, path: &PathRef) -> Option<(ModuleId, Def)> {
        let name = &path.segments.first()?.name;
        let facts = self.facts(module)?;
        let package = self.modules.all[module].package;
        let end = self.modules.all[module].scope;
        let mut scope = path.scope;
        loop {
            let it = facts.scopes.get(scope)?;
            if it.names.contains_key(name) || self.is_made(facts, scope, name) {
                return None;
            }
            let brought = it.globs.iter().find_map(|index| {
                let Some(Def::Module(other)) = self.import(module, *index) else {
                    return None;
                };
                let (def, _) = self.in_module(other, name, true, module)?;
                Some((other, def))
            });
            if brought.is_some() && !self.given.contains(&(package, name.as_str())) {
                return brought;
            }
            if scope == end {
                return None;
            }
            scope = it.parent?;
        }
    }

    fn in_scope(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &str,
        is_last: bool,
        inside: bool,
    ) -> Option<(Def, bool)> {
        let facts = self.facts(module)?;
        let it = facts.scopes.get(scope)?;
        let may_see = |index: usize| inside || facts.uses[index].public;
        match it.names.get(name) {
            Some(Name::Inline(_) | Name::File(_)) => {
                if let Some(child) = self.modules.all[module].children.get(name) {
                    return Some((Def::Module(*child), false));
                }
            }
            Some(Name::Type) => return Some((Def::Item(module, name.to_owned()), false)),
            Some(Name::Value) if is_last => {
                return Some((Def::Item(module, name.to_owned()), false));
            }
            Some(Name::Use(index)) if may_see(*index) => {
                if let Some(def) = self.import(module, *index) {
                    return Some((def, true));
                }
            }
            _ => {}
        }
        if self.is_made(facts, scope, name) {
            return Some((Def::Local, false));
        }
        it.globs
            .iter()
            .filter(|index| may_see(**index))
            .find_map(|index| {
                let Some(Def::Module(other)) = self.import(module, *index) else {
                    return None;
                };
                self.in_module(other, name, is_last, module)
                    .map(|(def, _)| (def, true))
            })
    }

    /// Whether a macro call in this scope declares a module of that name.
    fn is_made(&self, facts: &Facts, scope: ScopeId, name: &str) -> bool {
        let mut calls = facts.item_macros.iter().filter(|it| it.scope == scope);
        !self.makers.is_empty()
            && calls.any(|it| {
                self.makers.contains(it.name.as_str()) && it.arguments.iter().any(|it| it == name)
            })
    }

    /// What an import brings; `None` while that very question is open.
    fn import(&self, module: ModuleId, index: usize) -> Option<Def> {
        self.imports.recall((module, index), || {
            let path = &self.facts(module)?.uses[index].path;
            let asking = Asking {
                module,
                scope: path.scope,
            };
            let def = self.walk(path, true, asking).target;
            match self.declared(module, index, def) {
                Def::Unknown => None,
                def => Some(def),
            }
        })
    }

    /// `extern crate` says that there is such a crate: one that comes with the compiler.
    fn declared(&self, module: ModuleId, index: usize, def: Def) -> Def {
        let import = self.facts(module).map(|it| &it.uses[index]);
        match (def, import) {
            (Def::Unknown, Some(it)) if it.extern_crate => {
                Def::Outside(it.path.segments.iter().map(|it| it.name.clone()).collect())
            }
            (def, _) => def,
        }
    }

    /// The extern prelude: dependencies, the package's own library, the standard library.
    fn prelude(&self, module: ModuleId, name: &str) -> Def {
        let here = &self.modules.all[module];
        let package = &self.workspace.packages[here.package];
        let own_lib = here.target != TargetKind::Lib && package.lib_name == name;
        let member = |it| {
            self.modules
                .lib_of(it)
                .map_or(Def::Outside(vec![name.to_owned()]), Def::Module)
        };
        match package.externs.get(name) {
            Some(Extern::Member(it)) => member(*it),
            Some(Extern::Outside(it)) => Def::Outside(vec![it.clone()]),
            None if own_lib => member(here.package),
            None if BUILT_IN.contains(&name) => Def::Outside(vec![name.to_owned()]),
            None if TOOLS.contains(&name) => Def::Local,
            None => self
                .renamed_at_root(here.root, name)
                .unwrap_or_else(|| unknown(name)),
        }
    }

    /// A name that no text declares. As the code is taken to compile, it is one of these: a macro that
    /// stands above it in the text, a module or type that a macro makes of a name that it is given or
    /// stands on, or something that a glob brings from another crate.
    fn unseen(&self, path: &PathRef, is_import: bool, asking: Asking) -> Def {
        let Some(name) = path.segments.first().map(|it| it.name.as_str()) else {
            return Def::Unknown;
        };
        let package = self.modules.all[asking.module].package;
        if (is_import && path.segments.len() == 1) || self.given.contains(&(package, name)) {
            return Def::Local;
        }
        if let Some((def, _)) = self.in_scopes(name, true, asking) {
            return def;
        }
        let mut globs = BTreeSet::new();
        self.outside_globs(
            asking.module,
            asking.module,
            &mut BTreeSet::new(),
            &mut globs,
        );
        let mut globs = globs.into_iter();
        match (globs.next(), globs.next()) {
            (Some(mut path), None) => {
                path.push(name.to_owned());
                Def::Outside(path)
            }
            (None, _) => Def::Unknown,
            _ => Def::Local,
        }
    }

    /// The paths into other crates whose whole content is brought into a module.
    fn outside_globs(
        &self,
        module: ModuleId,
        viewer: ModuleId,
        seen: &mut BTreeSet<ModuleId>,
        found: &mut BTreeSet<Vec<String>>,
    ) {
        let Some(facts) = self.facts(module).filter(|_| seen.insert(module)) else {
            return;
        };
        let inside = self.modules.holds(module, viewer);
        let own = self.modules.all[module].scope;
        for (index, it) in facts.uses.iter().enumerate().filter(|(_, it)| it.glob) {
            // A glob in a block brings names to that block; asking which one costs more than it tells.
            let is_here = it.path.scope == own || facts.scopes[it.path.scope].module.is_none();
            if !is_here || !(inside || it.public) {
                continue;
            }
            match self.import(module, index) {
                Some(Def::Outside(path)) => {
                    found.insert(path);
                }
                Some(Def::Module(other)) => self.outside_globs(other, viewer, seen, found),
                _ => {}
            }
        }
    }

    /// `extern crate a as b;` at the crate root makes `b` known everywhere.
    fn renamed_at_root(&self, root: ModuleId, name: &str) -> Option<Def> {
        let facts = self.facts(root)?;
        let import = facts
            .uses
            .iter()
            .find(|it| it.extern_crate && it.alias.as_deref() == Some(name))?;
        match import.path.segments.first()?.name.as_str() {
            "self" => Some(Def::Module(root)),
            // A crate that comes with the compiler, such as `rustc_ast`.
            krate if krate == name => Some(Def::Outside(vec![krate.to_owned()])),
            krate => Some(self.prelude(root, krate)),
        }
    }
}

fn exported(modules: &Modules) -> BTreeMap<(ModuleId, &str), ModuleId> {
    let mut exported = BTreeMap::new();
    for (id, module, facts) in modules
        .files()
        .filter(|(_, _, it)| !it.exported_macros.is_empty())
    {
        let owners = modules.by_scope(id);
        for (name, scope) in &facts.exported_macros {
            exported.insert((module.root, name.as_str()), owners[*scope]);
        }
    }
    exported
}

/// Names that macro calls in the place of items are given, with the package.
fn given(modules: &Modules) -> BTreeSet<(usize, &str)> {
    let calls = modules.files().flat_map(|(_, module, facts)| {
        let names = facts.item_macros.iter().flat_map(|it| &it.arguments);
        names.map(|name| (module.package, name.as_str()))
    });
    calls.collect()
}

/// A capital letter is a type of some prelude or glob: never a crate.
fn unknown(name: &str) -> Def {
    let is_type = name.starts_with(char::is_uppercase) || PRIMITIVES.contains(&name);
    if is_type { Def::Local } else { Def::Unknown }
}
