//! Packages, their targets, and the names that each may write first in a path.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::files::SourceFiles;
use crate::manifest::{Dependency, DependencyKind, Manifest, Text};
use crate::paths;

/// What kind of crate a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    Lib,
    Bin,
    Test,
    Example,
    Bench,
    Build,
}

/// One crate root.
#[derive(Debug, Clone)]
pub struct Target {
    pub kind: TargetKind,
    pub root: String,
}

/// What a name of the extern prelude stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extern {
    /// A package of this workspace, by index.
    Member(usize),
    /// A crate from elsewhere, by its own name.
    Outside(String),
}

/// A member of the workspace.
#[derive(Debug)]
pub struct Package {
    /// As code would write it: hyphens are underscores.
    pub ident: String,
    pub name: String,
    pub dir: String,
    pub manifest: Manifest,
    pub edition: u16,
    /// The name under which other crates see its library.
    pub lib_name: String,
    pub targets: Vec<Target>,
    pub externs: BTreeMap<String, Extern>,
}

/// The packages of a root, sorted by folder.
#[derive(Debug, Default)]
pub struct Workspace {
    pub root: Manifest,
    pub packages: Vec<Package>,
    /// What was wrong with manifests.
    pub problems: Vec<Diagnostic>,
}

impl Workspace {
    /// Finds the members as Cargo does. `None` when there is no root manifest.
    pub fn load(files: &SourceFiles) -> Option<Workspace> {
        let text = files.get("Cargo.toml")?;
        let mut workspace = Workspace::default();
        match Manifest::parse("Cargo.toml", text) {
            Ok(root) => workspace.root = root,
            Err(problem) => workspace.problems.push(*problem),
        }
        workspace.problems.extend(workspace.without_manifest(files));
        let mut found = BTreeMap::new();
        for dir in workspace.member_dirs(files) {
            workspace.visit(files, &dir, &mut found);
        }
        for manifest in found.into_values() {
            workspace
                .packages
                .extend(package(files, manifest, &workspace.root));
        }
        for index in 0..workspace.packages.len() {
            workspace.packages[index].externs = workspace.externs_of(index);
        }
        Some(workspace)
    }

    /// Crates from elsewhere that code may name: the standard library and every dependency.
    pub fn crates_outside(&self) -> BTreeSet<&str> {
        let externs = self.packages.iter().flat_map(|it| it.externs.values());
        let named = externs.filter_map(|it| match it {
            Extern::Outside(name) => Some(name.as_str()),
            Extern::Member(_) => None,
        });
        named
            .chain(["std", "core", "alloc", "proc_macro"])
            .collect()
    }

    /// Whether the root manifest could not be read, so that nothing is known of any member.
    pub fn is_unknown(&self) -> bool {
        self.root.path.is_empty()
    }

    /// The package whose folder is `dir`.
    pub fn package_in(&self, dir: &str) -> Option<usize> {
        self.packages.iter().position(|it| it.dir == dir)
    }

    /// The package that owns a file: the one with the longest folder.
    pub fn package_of(&self, file: &str) -> Option<usize> {
        let holding = self
            .packages
            .iter()
            .enumerate()
            .filter(|(_, it)| paths::is_within(file, &it.dir));
        holding
            .max_by_key(|(_, it)| it.dir.len())
            .map(|(index, _)| index)
    }

    /// The package that an entry leads to, if it is a member.
    pub fn member_of(&self, manifest: &Manifest, dependency: &Dependency) -> Option<usize> {
        let (origin, entry) = self.source_of(manifest, dependency)?;
        let dir = paths::join(origin.dir(), &entry.path.as_ref()?.value)?;
        self.package_in(&dir)
    }

    /// The entry that holds the source: itself, or the one that it inherits.
    pub fn source_of<'a>(
        &'a self,
        manifest: &'a Manifest,
        dependency: &'a Dependency,
    ) -> Option<(&'a Manifest, &'a Dependency)> {
        if !dependency.inherited {
            return Some((manifest, dependency));
        }
        let shared =
            self.root.dependencies.iter().find(|it| {
                it.kind == DependencyKind::Shared && it.key.value == dependency.key.value
            })?;
        Some((&self.root, shared))
    }

    /// Entries of `members` that lead to no manifest, which Cargo refuses.
    fn without_manifest(&self, files: &SourceFiles) -> Vec<Diagnostic> {
        let entries = self.root.workspace.iter().flat_map(|it| &it.members);
        let missing = entries.flat_map(|entry| {
            let pattern = clean(&entry.value);
            let dirs = match pattern.contains(['*', '?', '[']) {
                true => folders(files, pattern),
                false => BTreeSet::from([pattern.to_owned()]),
            };
            dirs.into_iter().map(move |dir| (entry, dir))
        });
        let missing = missing.filter(|(_, dir)| {
            let path = format!("{dir}/Cargo.toml");
            let path = path.trim_start_matches("./").trim_start_matches('/');
            !dir.starts_with("..") && !files.has(path) && !self.is_excluded(dir)
        });
        let problem = |(entry, dir): (&Text, String)| {
            let message = format!("`members` names `{dir}`, where there is no `Cargo.toml`");
            Diagnostic::new("SL900", self.root.place(entry.span), message)
                .help("correct the entry, or exclude the folder")
        };
        missing.map(problem).collect()
    }

    fn member_dirs(&self, files: &SourceFiles) -> BTreeSet<String> {
        let mut dirs = BTreeSet::new();
        if self.root.package.is_some() {
            dirs.insert(String::new());
        }
        let Some(table) = &self.root.workspace else {
            return dirs;
        };
        let manifests = files
            .paths()
            .filter(|it| paths::file_name(it) == "Cargo.toml");
        for dir in manifests.map(paths::parent) {
            if table.lists(dir) && !self.is_excluded(dir) {
                dirs.insert(dir.to_owned());
            }
        }
        dirs
    }

    /// The entry of `exclude` that keeps a folder out. As in Cargo, what `members` names to the letter
    /// stays in.
    pub fn excluding(&self, dir: &str) -> Option<&Text> {
        let table = self.root.workspace.as_ref()?;
        let holds = |it: &&Text| paths::is_within(dir, clean(&it.value));
        if table.members.iter().any(|it| holds(&it)) {
            return None;
        }
        table.exclude.iter().find(holds)
    }

    fn is_excluded(&self, dir: &str) -> bool {
        self.excluding(dir).is_some()
    }

    /// Adds the package in `dir` and, as Cargo does, what it reaches by path inside the root.
    fn visit(&mut self, files: &SourceFiles, dir: &str, found: &mut BTreeMap<String, Manifest>) {
        let path = if dir.is_empty() {
            "Cargo.toml".to_owned()
        } else {
            format!("{dir}/Cargo.toml")
        };
        if found.contains_key(dir) || self.problems.iter().any(|it| it.place.file == path) {
            return;
        }
        let Some(text) = files.get(&path) else { return };
        let manifest = match Manifest::parse(&path, text) {
            Ok(manifest) => manifest,
            Err(problem) => return self.problems.push(*problem),
        };
        let reached: Vec<String> = manifest
            .dependencies
            .iter()
            .filter(|it| it.kind.is_own())
            .filter_map(|it| self.source_of(&manifest, it))
            .filter_map(|(origin, it)| paths::join(origin.dir(), &it.path.as_ref()?.value))
            .filter(|it| self.root.workspace.is_some() && !self.is_excluded(it))
            .collect();
        found.insert(dir.to_owned(), manifest);
        for dir in reached {
            self.visit(files, &dir, found);
        }
    }

    fn externs_of(&self, index: usize) -> BTreeMap<String, Extern> {
        let manifest = &self.packages[index].manifest;
        let mut externs = BTreeMap::new();
        for dependency in manifest.dependencies.iter().filter(|it| it.kind.is_own()) {
            let shared = self
                .source_of(manifest, dependency)
                .map_or(dependency, |(_, it)| it);
            let key = ident(&dependency.key.value);
            let found = match self.member_of(manifest, dependency) {
                Some(member) => {
                    let renamed = shared.package.is_some() || dependency.package.is_some();
                    let lib = self.packages[member].lib_name.clone();
                    (if renamed { key } else { lib }, Extern::Member(member))
                }
                None => (key, Extern::Outside(ident(shared.package()))),
            };
            externs.insert(found.0, found.1);
        }
        externs
    }
}

/// The folders with sources that a pattern of `members` stands for.
fn folders(files: &SourceFiles, pattern: &str) -> BTreeSet<String> {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let sources = files.paths().filter(|it| it.ends_with(".rs"));
    let matching = sources.filter_map(|file| {
        let parts: Vec<&str> = file.split('/').collect();
        let count = paths::match_prefix(&pattern, &parts[..parts.len() - 1])?;
        Some(parts[..count].join("/"))
    });
    matching.collect()
}

/// A package name as code writes it.
pub fn ident(name: &str) -> String {
    name.replace('-', "_")
}

fn clean(path: &str) -> &str {
    path.trim_start_matches("./").trim_end_matches('/')
}

fn package(files: &SourceFiles, manifest: Manifest, root: &Manifest) -> Option<Package> {
    let name = manifest.package.as_ref()?.value.clone();
    let shared_edition = root.workspace.as_ref().and_then(|it| it.edition);
    let inherited = if manifest.edition_inherited {
        shared_edition
    } else {
        None
    };
    let lib = manifest.targets.iter().find(|it| it.table == "lib");
    Some(Package {
        ident: ident(&name),
        lib_name: lib
            .and_then(|it| it.name.clone())
            .map_or_else(|| ident(&name), |it| ident(&it)),
        dir: manifest.dir().to_owned(),
        edition: manifest.edition.or(inherited).unwrap_or(2015),
        targets: targets(files, &manifest),
        externs: BTreeMap::new(),
        name,
        manifest,
    })
}

/// The crate roots that exist, named or discovered.
fn targets(files: &SourceFiles, manifest: &Manifest) -> Vec<Target> {
    let dir = manifest.dir();
    let mut roots: BTreeMap<String, TargetKind> = BTreeMap::new();
    for target in &manifest.targets {
        if let Some(path) = target
            .path
            .as_ref()
            .and_then(|it| paths::join(dir, &it.value))
        {
            roots.insert(path, kind_of(target.table));
        }
    }
    let named_lib = roots.values().any(|it| *it == TargetKind::Lib);
    let build = manifest.build.as_ref().map_or("build.rs", |it| &it.value);
    let unreadable = files.unreadable().map(|(path, _)| path);
    let all = files.paths().chain(unreadable);
    for path in all.filter(|it| paths::is_within(it, dir)) {
        let local = path
            .strip_prefix(dir)
            .unwrap_or(path)
            .trim_start_matches('/');
        if let Some(kind) = discovered(local, build)
            && !is_switched_off(manifest, kind, local)
            && !(kind == TargetKind::Lib && named_lib)
        {
            roots.entry(path.to_owned()).or_insert(kind);
        }
    }
    let existing = roots.into_iter().filter(|(root, _)| files.has(root));
    existing.map(|(root, kind)| Target { kind, root }).collect()
}

fn kind_of(table: &str) -> TargetKind {
    match table {
        "lib" => TargetKind::Lib,
        "bin" => TargetKind::Bin,
        "test" => TargetKind::Test,
        "example" => TargetKind::Example,
        _ => TargetKind::Bench,
    }
}

/// The kind of crate root that Cargo would take `path`, relative to the package, for.
fn discovered(path: &str, build: &str) -> Option<TargetKind> {
    let parts: Vec<&str> = path.split('/').collect();
    let root_in = |kind, parts: &[&str]| match parts {
        [file] if file.ends_with(".rs") => Some(kind),
        [_, "main.rs"] => Some(kind),
        _ => None,
    };
    match parts.as_slice() {
        ["src", "lib.rs"] => Some(TargetKind::Lib),
        ["src", "main.rs"] => Some(TargetKind::Bin),
        ["src", "bin", rest @ ..] => root_in(TargetKind::Bin, rest),
        ["tests", rest @ ..] => root_in(TargetKind::Test, rest),
        ["examples", rest @ ..] => root_in(TargetKind::Example, rest),
        ["benches", rest @ ..] => root_in(TargetKind::Bench, rest),
        _ => (path == clean(build)).then_some(TargetKind::Build),
    }
}

fn is_switched_off(manifest: &Manifest, kind: TargetKind, local: &str) -> bool {
    let switch = match kind {
        TargetKind::Lib => "autolib",
        TargetKind::Bin => "autobins",
        TargetKind::Test => "autotests",
        TargetKind::Example => "autoexamples",
        TargetKind::Bench => "autobenches",
        TargetKind::Build => return manifest.no_build,
    };
    // A named target without a path takes the discovered file, also when discovery is off.
    let stem = local.trim_end_matches("/main.rs").trim_end_matches(".rs");
    let named = manifest.targets.iter().any(|it| {
        it.path.is_none()
            && (it.name.as_deref() == Some(paths::file_name(stem)) || local == "src/main.rs")
    });
    manifest.autodiscover_off.contains(switch) && !named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_from_globs_and_paths_and_externs_from_renames() {
        let files = SourceFiles::fixture(
            "//- Cargo.toml\n[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"crates/old\"]\n\
             [workspace.dependencies]\nshort = { package = \"b-long\", path = \"crates/b\" }\n\
             //- crates/a/Cargo.toml\n[package]\nname = \"a\"\n[dependencies]\nshort.workspace = true\n\
             inner = { path = \"inner\" }\n//- crates/a/inner/Cargo.toml\n[package]\nname = \"inner\"\n\
             [lib]\nname = \"other\"\npath = \"lib.rs\"\n//- crates/a/inner/lib.rs\n\
             //- crates/b/Cargo.toml\n[package]\nname = \"b-long\"\n//- crates/old/Cargo.toml\n[package]\nname = \"old\"\n",
        );
        let workspace = Workspace::load(&files).unwrap();
        let names: Vec<&str> = workspace
            .packages
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(names, ["a", "inner", "b-long"]);
        let externs = &workspace.packages[0].externs;
        assert_eq!(externs["short"], Extern::Member(2));
        assert_eq!(externs["other"], Extern::Member(1));
        assert_eq!(
            workspace.packages[1].targets[0].root,
            "crates/a/inner/lib.rs"
        );
    }
}
