//! A checked build: policy, then one zip per Lambda function, each with its bill of materials.
//!
//! **Invariant:** the same commit gives the same bytes. Nothing here writes a clock, a path of this
//! machine or an order that is not sorted; and no bundle exists for a workspace with a finding.

mod archive;
mod build;
mod elf;
mod folder;
mod functions;
mod manifest;
mod metadata;
mod sbom;
mod source;
mod tools;
mod verify;

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

pub use archive::read as unpack;
pub use build::{Arch, Profile};
pub use manifest::{Bundle, Policy};
pub use verify::verify;

use crate::check::Report;
use crate::error::Error;
use functions::Function;
use manifest::{Artefact, Entry};
use metadata::{Lock, Metadata};

/// What to build, and where the result goes.
#[derive(Debug)]
pub struct Plan<'a> {
    pub root: &'a Path,
    pub out: &'a Path,
    pub arch: Arch,
    pub profile: Profile,
}

/// Builds every function and writes the bundle, in place of an earlier one.
///
/// `report` is the check of these very sources; the caller has seen that it is clean.
pub fn bundle(plan: &Plan, report: &Report) -> Result<Bundle, Error> {
    let folder = folder::Folder::claim(plan.out)?;
    let tools = tools::find(plan.root, plan.arch)?;
    let metadata = Metadata::read(plan.root, plan.arch.target())?;
    let functions = functions::list(&metadata)?;
    let policy = Policy::of(plan.root, report)?;
    let source = source::Source::of(plan.root, folder.out())?;
    let toolchain = source::toolchain(&tools, plan)?;
    let built = build::build(plan, &tools, &metadata, &functions)?;
    let lock = Lock::read(plan.root)?;
    let mut entries = Vec::new();
    for function in functions {
        let binary = read(&built.join(&function.name).join(archive::ENTRY))?;
        let zip = archive::write(&binary)?;
        let sbom = sbom::write(&metadata, &lock, &function, plan.arch.target(), &zip)?;
        let zip = folder.write(&format!("{}.zip", function.name), &zip)?;
        let sbom = folder.write(&format!("{}.cdx.json", function.name), &sbom)?;
        entries.push(entry(function, plan.arch, &binary, zip, sbom));
    }
    let bundle = Bundle {
        version: manifest::VERSION,
        source,
        toolchain,
        policy,
        functions: entries,
    };
    folder.write(manifest::FILE_NAME, &bundle.to_json()?)?;
    folder.publish()?;
    Ok(bundle)
}

fn entry(function: Function, arch: Arch, binary: &[u8], zip: Artefact, sbom: Artefact) -> Entry {
    Entry {
        name: function.name,
        package: function.package,
        package_version: function.version,
        handler: archive::ENTRY.to_owned(),
        runtime: "provided.al2023".to_owned(),
        architecture: arch.as_lambda_says().to_owned(),
        memory: function.memory,
        routes: function.routes,
        bootstrap: Artefact::of(archive::ENTRY, binary),
        zip,
        sbom,
    }
}

/// SHA-256 in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|it| format!("{it:02x}")).collect()
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file)
        .map_err(|err| Error::Unreadable(format!("cannot read `{}`: {err}", file.display())))
}
