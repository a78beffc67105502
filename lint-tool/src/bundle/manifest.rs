//! `bundle.json`: what a bundle holds, and what it was made of.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::functions::Route;
use super::source::{Source, Toolchain};
use super::{read, sha256};
use crate::check::Report;
use crate::diagnostic::Level;
use crate::error::Error;
use crate::{baseline, config};

/// The manifest's name in the bundle's folder.
pub(super) const FILE_NAME: &str = "bundle.json";
/// The version of the manifest's form.
pub(super) const VERSION: u32 = 1;

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    pub version: u32,
    pub source: Source,
    pub toolchain: Toolchain,
    pub policy: Policy,
    pub functions: Vec<Entry>,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub package: String,
    pub package_version: String,
    pub handler: String,
    pub runtime: String,
    pub architecture: String,
    /// Megabytes, where a manifest says so.
    pub memory: Option<u32>,
    /// The paths that lead to it; none for one that only events start.
    pub routes: Vec<Route>,
    /// The program inside the zip.
    pub bootstrap: Artefact,
    pub zip: Artefact,
    pub sbom: Artefact,
}

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artefact {
    pub file: String,
    pub size: u64,
    pub sha256: String,
}

impl Artefact {
    /// Describes bytes that are called `file`.
    pub fn of(file: &str, bytes: &[u8]) -> Artefact {
        Artefact {
            file: file.to_owned(),
            size: bytes.len() as u64,
            sha256: sha256(bytes),
        }
    }
}

/// What was checked before the build, and by which rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// `clean`: there is no bundle with another verdict.
    pub verdict: String,
    pub structure_lint: String,
    /// SHA-256 of `structure-lint.toml`; none where there is no such file.
    pub configuration: Option<String>,
    /// SHA-256 of the baseline; none where there is no such file.
    pub baseline: Option<String>,
    pub crates: usize,
    pub files: usize,
    pub warnings: usize,
    pub excused: usize,
    pub baselined: usize,
}

impl Policy {
    /// The policy that a clean report stands for.
    pub fn of(root: &Path, report: &Report) -> Result<Policy, Error> {
        let hash = |name: &str| {
            let file = root.join(name);
            let bytes = file.is_file().then(|| read(&file)).transpose()?;
            Ok(bytes.map(|it| sha256(&it)))
        };
        Ok(Policy {
            verdict: "clean".to_owned(),
            structure_lint: env!("CARGO_PKG_VERSION").to_owned(),
            configuration: hash(config::FILE_NAME)?,
            baseline: hash(baseline::FILE_NAME)?,
            crates: report.crates,
            files: report.files,
            warnings: report.count(Level::Warn),
            excused: report.excused,
            baselined: report.baselined,
        })
    }
}

impl Bundle {
    /// The manifest as it is written.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|err| Error::Unreadable(format!("no manifest: {err}")))?;
        Ok(format!("{text}\n").into_bytes())
    }
}
