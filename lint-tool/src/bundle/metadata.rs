//! What `cargo metadata` and `Cargo.lock` say, as far as a bundle needs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::{read, tools};
use crate::error::Error;

/// The workspace as Cargo resolves it for one target.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub workspace_root: PathBuf,
    pub target_directory: PathBuf,
    pub resolve: Resolve,
    /// `[workspace.metadata]`.
    #[serde(default)]
    pub metadata: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub id: String,
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    /// None for what lies in a folder.
    pub source: Option<String>,
    pub manifest_path: PathBuf,
    pub targets: Vec<Target>,
    #[serde(default)]
    pub dependencies: Vec<Dependency>,
    /// `[package.metadata]`.
    #[serde(default)]
    pub metadata: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target {
    pub name: String,
    pub kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub name: String,
    /// None for a normal one.
    pub kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resolve {
    pub nodes: Vec<Node>,
}

/// What one package uses.
#[derive(Debug, Deserialize)]
pub(super) struct Node {
    pub id: String,
    pub deps: Vec<Link>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Link {
    pub pkg: String,
    pub dep_kinds: Vec<LinkKind>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LinkKind {
    /// None for a normal one.
    pub kind: Option<String>,
}

impl Metadata {
    /// Asks Cargo, which fails if `Cargo.lock` is not up to date.
    pub(super) fn read(root: &Path, target: &str) -> Result<Metadata, Error> {
        let mut cargo = Command::new(tools::cargo());
        cargo.current_dir(root).args(["metadata", "--locked"]);
        cargo.args(["--format-version", "1", "--filter-platform", target]);
        let text = tools::output(&mut cargo)?;
        serde_json::from_str(&text)
            .map_err(|err| Error::Unreadable(format!("cannot read `cargo metadata`: {err}")))
    }

    /// The members of the workspace, by name.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        let is_member = |it: &&Package| self.workspace_members.contains(&it.id);
        self.packages.iter().filter(is_member)
    }
}

impl Package {
    /// Whether the package is a macro or build code: it runs in the compiler alone.
    pub(super) fn is_proc_macro(&self) -> bool {
        self.targets
            .iter()
            .any(|it| it.kind.iter().any(|it| it == "proc-macro"))
    }
}

/// The checksums of what comes from a registry.
#[derive(Debug, Default)]
pub(super) struct Lock(BTreeMap<(String, String, String), String>);

impl Lock {
    /// Reads `Cargo.lock` at the root.
    pub(super) fn read(root: &Path) -> Result<Lock, Error> {
        let bytes = read(&root.join("Cargo.lock"))?;
        Lock::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Result<Lock, Error> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            package: Vec<Locked>,
        }
        #[derive(Deserialize)]
        struct Locked {
            name: String,
            version: String,
            source: Option<String>,
            checksum: Option<String>,
        }
        let file: File = toml::from_str(text)
            .map_err(|err| Error::Unreadable(format!("cannot read `Cargo.lock`: {err}")))?;
        let known = file.package.into_iter().filter_map(|it| {
            let key = (it.name, it.version, it.source?);
            Some((key, it.checksum?))
        });
        Ok(Lock(known.collect()))
    }

    /// The SHA-256 of a package's archive.
    pub(super) fn checksum(&self, package: &Package) -> Option<&str> {
        let source = package.source.clone()?;
        let key = (package.name.clone(), package.version.clone(), source);
        self.0.get(&key).map(String::as_str)
    }
}
