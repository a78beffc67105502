//! Whether a folder holds what its `bundle.json` says, no more and no less.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::manifest::{Artefact, Bundle, Entry, FILE_NAME, VERSION};
use super::{archive, read, sha256};
use crate::error::Error;

/// Each difference between the bundle in `dir` and its manifest, and how many functions it has.
pub fn verify(dir: &Path) -> Result<(Vec<String>, usize), Error> {
    let text = read(&dir.join(FILE_NAME))?;
    let bundle: Bundle = match serde_json::from_slice(&text) {
        Ok(bundle) => bundle,
        Err(err) => return Ok((vec![format!("{FILE_NAME}: cannot be read: {err}")], 0)),
    };
    let mut found = Vec::new();
    if bundle.version != VERSION {
        let version = bundle.version;
        found.push(format!("{FILE_NAME}: version {version} is not known"));
    }
    if bundle.policy.verdict != "clean" {
        let verdict = &bundle.policy.verdict;
        found.push(format!("{FILE_NAME}: the policy's verdict is `{verdict}`"));
    }
    if bundle.functions.is_empty() {
        found.push(format!("{FILE_NAME}: names no function"));
    }
    let mut expected = BTreeSet::from([FILE_NAME.to_owned()]);
    for entry in &bundle.functions {
        for file in [&entry.zip.file, &entry.sbom.file] {
            if !expected.insert(file.clone()) {
                found.push(format!("{FILE_NAME}: names `{file}` twice"));
            }
        }
        found.extend(differences(dir, entry));
    }
    found.extend(extra(dir, &expected)?);
    Ok((found, bundle.functions.len()))
}

fn differences(dir: &Path, entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(zip) = content(dir, &entry.zip, &mut found) {
        let file = &entry.zip.file;
        match archive::read(&zip) {
            Ok(binary) => found.extend(
                mismatch(&entry.bootstrap, &binary)
                    .map(|it| format!("{file}: `{}` {it}", entry.handler)),
            ),
            Err(err) => found.push(format!("{file}: {err}")),
        }
    }
    if let Some(sbom) = content(dir, &entry.sbom, &mut found) {
        let file = &entry.sbom.file;
        found.extend(sbom_mismatch(&sbom, entry).map(|it| format!("{file}: {it}")));
    }
    found
}

/// The bytes of a file that is there, with what is wrong about them.
fn content(dir: &Path, artefact: &Artefact, found: &mut Vec<String>) -> Option<Vec<u8>> {
    let file = &artefact.file;
    let is_plain = Path::new(file).file_name() == Some(file.as_ref());
    if !is_plain {
        found.push(format!(
            "{FILE_NAME}: `{file}` is no name of a file in the bundle"
        ));
        return None;
    }
    match fs::read(dir.join(file)) {
        Ok(bytes) => {
            found.extend(mismatch(artefact, &bytes).map(|it| format!("{file}: {it}")));
            Some(bytes)
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
            found.push(format!("{file}: is missing"));
            None
        }
        Err(err) => {
            found.push(format!("{file}: cannot be read: {err}"));
            None
        }
    }
}

fn mismatch(artefact: &Artefact, bytes: &[u8]) -> Option<String> {
    let (size, hash) = (bytes.len() as u64, sha256(bytes));
    if size != artefact.size {
        Some(format!("has {size} bytes instead of {}", artefact.size))
    } else if hash != artefact.sha256 {
        Some(format!("has sha256 {hash} instead of {}", artefact.sha256))
    } else {
        None
    }
}

fn sbom_mismatch(sbom: &[u8], entry: &Entry) -> Option<String> {
    let document: Value = match serde_json::from_slice(sbom) {
        Ok(document) => document,
        Err(err) => return Some(format!("is no JSON: {err}")),
    };
    let component = &document["metadata"]["component"];
    if document["bomFormat"] != "CycloneDX" || !document["components"].is_array() {
        Some("is no CycloneDX document".to_owned())
    } else if component["name"] != entry.name.as_str() {
        Some(format!(
            "is about {} instead of `{}`",
            component["name"], entry.name
        ))
    } else if component["hashes"][0]["content"] != entry.zip.sha256.as_str() {
        Some(format!("is about another zip than `{}`", entry.zip.file))
    } else {
        None
    }
}

fn extra(dir: &Path, expected: &BTreeSet<String>) -> Result<Vec<String>, Error> {
    let failed = |err| Error::Unreadable(format!("cannot list `{}`: {err}", dir.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        if !expected.contains(name.as_ref()) {
            found.push(format!("{name}: is not in {FILE_NAME}"));
        }
    }
    found.sort();
    Ok(found)
}
