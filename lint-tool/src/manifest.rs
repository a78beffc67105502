//! One `Cargo.toml` as data with places. Read with `toml` alone: Cargo need not be able to load it.

mod comments;

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Place, Span};
use crate::paths;

/// A string and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub value: String,
    pub span: Span,
}

/// When a dependency is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyKind {
    Normal,
    Dev,
    Build,
    /// An entry of `[workspace.dependencies]`.
    Shared,
    /// An entry of `[patch]` or `[replace]`.
    Patch,
}

impl DependencyKind {
    /// Whether the package that states it builds it, rather than offering it to others.
    pub fn is_own(self) -> bool {
        !matches!(self, DependencyKind::Shared | DependencyKind::Patch)
    }
}

/// One entry of a dependency table.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name that code uses.
    pub key: Text,
    /// The package, where it is not the key.
    pub package: Option<String>,
    pub kind: DependencyKind,
    pub path: Option<Text>,
    pub inherited: bool,
    /// Whether it comes from a registry or git, not from a path.
    pub remote: bool,
    /// The repository, where it comes from git.
    pub git: Option<Text>,
    pub version: Option<String>,
    pub optional: bool,
    /// The features that the entry asks for.
    pub features: Vec<String>,
    /// Whether a feature of the package switches one of the dependency on: `helper/std`.
    pub forwarded: bool,
    /// `default-features = false`
    pub no_defaults: bool,
    /// Whether a comment beside the entry says why it is as it is.
    pub explained: bool,
    /// Under `cfg(any())`, which never holds: the entry only ties versions together.
    pub never: bool,
}

impl Dependency {
    /// The package that the entry asks for.
    pub fn package(&self) -> &str {
        self.package.as_deref().unwrap_or(&self.key.value)
    }
}

/// A target that the manifest names.
#[derive(Debug, Clone)]
pub struct TargetTable {
    pub table: &'static str,
    pub name: Option<String>,
    pub path: Option<Text>,
}

/// What the checks need of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    pub path: String,
    pub package: Option<Text>,
    pub edition: Option<u16>,
    /// Where the manifest states an edition.
    pub edition_place: Option<Span>,
    pub edition_inherited: bool,
    /// Whether the package states a `rust-version` of its own.
    pub own_rust_version: bool,
    /// Whether there is a `[lints]` table of any kind.
    pub has_lints: bool,
    /// Whether a comment says why the edition is another one.
    pub edition_explained: bool,
    /// Whether a comment speaks of the lints.
    pub lints_explained: bool,
    /// Dependencies that other tools are told to take for used.
    pub used_elsewhere: BTreeSet<String>,
    /// Where the sources are published, as the package or the workspace says.
    pub repository: Option<String>,
    /// `[package.metadata.structure-lint] visible-to`.
    pub visible_to: Option<Vec<Text>>,
    pub build: Option<Text>,
    pub no_build: bool,
    pub autodiscover_off: BTreeSet<String>,
    pub dependencies: Vec<Dependency>,
    pub targets: Vec<TargetTable>,
    pub workspace: Option<WorkspaceTable>,
}

/// `[workspace]`.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceTable {
    pub members: Vec<Text>,
    pub exclude: Vec<Text>,
    /// Whether a comment beside `exclude` says why.
    pub exclude_explained: bool,
    pub has_dependencies: bool,
    pub edition: Option<u16>,
    pub lints: Option<Span>,
}

impl WorkspaceTable {
    /// Whether an entry of `members` names the folder.
    pub fn lists(&self, dir: &str) -> bool {
        let dir: Vec<&str> = dir.split('/').collect();
        self.members.iter().any(|it| {
            let pattern = it.value.trim_start_matches("./").trim_end_matches('/');
            let pattern: Vec<&str> = pattern.split('/').collect();
            paths::match_prefix(&pattern, &dir) == Some(dir.len())
        })
    }
}

impl Manifest {
    /// The folder that the manifest stands in.
    pub fn dir(&self) -> &str {
        paths::parent(&self.path)
    }

    /// A place in this manifest.
    pub fn place(&self, span: Span) -> Place {
        Place::new(&self.path, span)
    }

    /// Reads a manifest; what `toml` cannot parse is SL900.
    pub fn parse(path: &str, text: &str) -> Result<Manifest, Box<Diagnostic>> {
        let root = DeTable::parse(text).map_err(|err| {
            let span = err
                .span()
                .map_or(Span::START, |range| Span::of_bytes(text, range));
            let message = format!("cannot parse the manifest: {}", err.message());
            Box::new(Diagnostic::new("SL900", Place::new(path, span), message))
        })?;
        let reader = Reader { text };
        let mut manifest = Manifest {
            path: path.to_owned(),
            ..Manifest::default()
        };
        reader.package(root.get_ref(), &mut manifest);
        reader.workspace(root.get_ref(), &mut manifest);
        reader.all_dependencies(root.get_ref(), &mut manifest.dependencies);
        reader.used_elsewhere(root.get_ref(), &mut manifest);
        reader.features(root.get_ref(), &mut manifest.dependencies);
        reader.targets(root.get_ref(), &mut manifest.targets);
        Ok(manifest)
    }
}

struct Reader<'a> {
    text: &'a str,
}

type Table<'a> = DeTable<'a>;

fn table<'t, 'a>(parent: &'t Table<'a>, key: &str) -> Option<&'t Table<'a>> {
    parent.get(key)?.get_ref().as_table()
}

fn is_true(parent: &Table, key: &str) -> bool {
    parent.get(key).and_then(|it| it.get_ref().as_bool()) == Some(true)
}

impl Reader<'_> {
    fn string(&self, value: &Spanned<DeValue>) -> Option<Text> {
        let text = value.get_ref().as_str()?;
        Some(Text {
            value: text.to_owned(),
            span: Span::of_bytes(self.text, value.span()),
        })
    }

    fn field(&self, parent: &Table, key: &str) -> Option<Text> {
        self.string(parent.get(key)?)
    }

    fn strings(&self, parent: &Table, key: &str) -> Vec<Text> {
        let array = parent.get(key).and_then(|it| it.get_ref().as_array());
        array
            .into_iter()
            .flatten()
            .filter_map(|it| self.string(it))
            .collect()
    }

    fn edition(&self, parent: &Table) -> Option<u16> {
        self.field(parent, "edition")?.value.parse().ok()
    }

    fn package(&self, root: &Table, manifest: &mut Manifest) {
        let Some(package) = table(root, "package").or_else(|| table(root, "project")) else {
            return;
        };
        manifest.package = self.field(package, "name");
        manifest.edition = self.edition(package);
        manifest.edition_place = self.field(package, "edition").map(|it| it.span);
        let explained = |it: Span| comments::is_explained(self.text, it.line);
        manifest.edition_explained = manifest.edition_place.is_some_and(explained)
            || comments::speak_of(self.text, "edition");
        manifest.lints_explained = comments::speak_of(self.text, "lint");
        manifest.own_rust_version = self.field(package, "rust-version").is_some();
        manifest.has_lints = root.contains_key("lints");
        manifest.repository = self.field(package, "repository").map(|it| it.value);
        manifest.visible_to = table(package, "metadata")
            .and_then(|it| table(it, "structure-lint"))
            .filter(|it| it.contains_key("visible-to"))
            .map(|it| self.strings(it, "visible-to"));
        manifest.edition_inherited =
            table(package, "edition").is_some_and(|it| is_true(it, "workspace"));
        manifest.build = self.field(package, "build");
        manifest.no_build =
            package.get("build").and_then(|it| it.get_ref().as_bool()) == Some(false);
        for key in [
            "autobins",
            "autotests",
            "autoexamples",
            "autobenches",
            "autolib",
        ] {
            if package.get(key).and_then(|it| it.get_ref().as_bool()) == Some(false) {
                manifest.autodiscover_off.insert(key.to_owned());
            }
        }
    }

    fn workspace(&self, root: &Table, manifest: &mut Manifest) {
        let Some(workspace) = table(root, "workspace") else {
            return;
        };
        let package = table(workspace, "package");
        let repository = package.and_then(|it| self.field(it, "repository"));
        manifest.repository = manifest.repository.take().or(repository.map(|it| it.value));
        manifest.workspace = Some(WorkspaceTable {
            members: self.strings(workspace, "members"),
            exclude: self.strings(workspace, "exclude"),
            exclude_explained: workspace
                .get_key_value("exclude")
                .map(|(key, _)| Span::of_bytes(self.text, key.span()))
                .is_some_and(|it| comments::is_explained(self.text, it.line)),
            has_dependencies: workspace.contains_key("dependencies"),
            edition: package.and_then(|it| self.edition(it)),
            lints: workspace
                .get_key_value("lints")
                .map(|(key, _)| Span::of_bytes(self.text, key.span())),
        });
        self.dependencies(
            workspace,
            "dependencies",
            DependencyKind::Shared,
            &mut manifest.dependencies,
        );
    }

    /// What cargo-machete, cargo-shear and cargo-udeps are told to leave alone.
    fn used_elsewhere(&self, root: &Table, manifest: &mut Manifest) {
        for owner in ["package", "workspace"] {
            let Some(metadata) = table(root, owner).and_then(|it| table(it, "metadata")) else {
                continue;
            };
            let lists = ["cargo-machete", "cargo-shear"].map(|it| table(metadata, it));
            let mut names: Vec<Text> = Vec::new();
            for list in lists.into_iter().flatten() {
                names.extend(self.strings(list, "ignored"));
            }
            let udeps = table(metadata, "cargo-udeps").and_then(|it| table(it, "ignore"));
            for kind in ["normal", "development", "build"] {
                names.extend(udeps.iter().flat_map(|it| self.strings(it, kind)));
            }
            let names = names.into_iter().map(|it| it.value.replace('-', "_"));
            manifest.used_elsewhere.extend(names);
        }
    }

    /// Marks the dependencies that features of the package reach into.
    fn features(&self, root: &Table, dependencies: &mut [Dependency]) {
        let features = table(root, "features").into_iter().flatten();
        let entries = features.filter_map(|(_, it)| it.get_ref().as_array());
        let entries = entries.flatten().filter_map(|it| it.get_ref().as_str());
        let reached = entries.filter_map(|it| it.split_once('/'));
        let reached: BTreeSet<&str> = reached.map(|(it, _)| it.trim_end_matches('?')).collect();
        for it in dependencies {
            it.forwarded = reached.contains(it.key.value.as_str());
        }
    }

    fn all_dependencies(&self, root: &Table, out: &mut Vec<Dependency>) {
        self.dependency_tables(root, out);
        for (cfg, target) in table(root, "target").into_iter().flatten() {
            if let Some(target) = target.get_ref().as_table() {
                let known = out.len();
                self.dependency_tables(target, out);
                let never = cfg.get_ref().replace(' ', "") == "cfg(any())";
                out[known..].iter_mut().for_each(|it| it.never = never);
            }
        }
        if let Some(patch) = table(root, "patch") {
            for source in patch.keys() {
                self.dependencies(patch, source.get_ref(), DependencyKind::Patch, out);
            }
        }
        self.dependencies(root, "replace", DependencyKind::Patch, out);
    }

    fn dependency_tables(&self, parent: &Table, out: &mut Vec<Dependency>) {
        for (key, kind) in [
            ("dependencies", DependencyKind::Normal),
            ("dev-dependencies", DependencyKind::Dev),
            ("dev_dependencies", DependencyKind::Dev),
            ("build-dependencies", DependencyKind::Build),
            ("build_dependencies", DependencyKind::Build),
        ] {
            self.dependencies(parent, key, kind, out);
        }
    }

    fn dependencies(
        &self,
        parent: &Table,
        key: &str,
        kind: DependencyKind,
        out: &mut Vec<Dependency>,
    ) {
        for (name, value) in table(parent, key).into_iter().flatten() {
            let key = Text {
                value: name.get_ref().to_string(),
                span: Span::of_bytes(self.text, name.span()),
            };
            let details = value.get_ref().as_table();
            let features = details.map(|it| self.strings(it, "features"));
            out.push(Dependency {
                explained: comments::is_explained(self.text, key.span.line),
                key,
                package: details
                    .and_then(|it| self.field(it, "package"))
                    .map(|it| it.value),
                kind,
                path: details.and_then(|it| self.field(it, "path")),
                inherited: details.is_some_and(|it| is_true(it, "workspace")),
                optional: details.is_some_and(|it| is_true(it, "optional")),
                git: details.and_then(|it| self.field(it, "git")),
                version: match details {
                    Some(it) => self.field(it, "version").map(|it| it.value),
                    None => value.get_ref().as_str().map(str::to_owned),
                },
                never: false,
                features: features.into_iter().flatten().map(|it| it.value).collect(),
                forwarded: false,
                no_defaults: ["default-features", "default_features"].iter().any(|key| {
                    details.and_then(|it| it.get(*key)?.get_ref().as_bool()) == Some(false)
                }),
                remote: details.is_none_or(|it| {
                    ["version", "git", "registry"]
                        .iter()
                        .any(|key| it.contains_key(*key))
                        && !it.contains_key("path")
                }),
            });
        }
    }

    fn targets(&self, root: &Table, out: &mut Vec<TargetTable>) {
        if let Some(lib) = table(root, "lib") {
            out.push(self.target("lib", lib));
        }
        for key in ["bin", "test", "example", "bench"] {
            let array = root.get(key).and_then(|it| it.get_ref().as_array());
            for entry in array.into_iter().flatten() {
                if let Some(entry) = entry.get_ref().as_table() {
                    out.push(self.target(key, entry));
                }
            }
        }
    }

    fn target(&self, kind: &'static str, entry: &Table) -> TargetTable {
        TargetTable {
            table: kind,
            name: self.field(entry, "name").map(|it| it.value),
            path: self.field(entry, "path"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dependency_table_is_read_with_its_kind() {
        let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\n\
            c = { package = \"d\", path = \"../d\" }\n[target.'cfg(unix)'.dev-dependencies]\ne = \"1\"\n\
            [build-dependencies.f]\ngit = \"x\"\n";
        let manifest = Manifest::parse("a/Cargo.toml", text).unwrap();
        let seen: Vec<_> = manifest
            .dependencies
            .iter()
            .map(|it| {
                (
                    it.package(),
                    it.kind,
                    it.inherited,
                    it.remote,
                    it.key.span.line,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("b", DependencyKind::Normal, true, false, 4),
                ("d", DependencyKind::Normal, false, false, 5),
                ("f", DependencyKind::Build, false, true, 8),
                ("e", DependencyKind::Dev, false, true, 7),
            ]
        );
    }

    #[test]
    fn a_broken_manifest_is_a_diagnostic() {
        let err = Manifest::parse("Cargo.toml", "[package\n").unwrap_err();
        assert_eq!((err.code, err.place.span.line), ("SL900", 1));
    }
}
