//! The bill of materials of one function: CycloneDX 1.6, from what Cargo resolved.
//!
//! **Invariant:** no time and no random number: the serial number is made from the content.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::functions::Function;
use super::metadata::{Lock, Metadata, Node, Package};
use super::sha256;
use crate::error::Error;

/// The document for the zip of a function.
pub(super) fn write(
    metadata: &Metadata,
    lock: &Lock,
    function: &Function,
    target: &str,
    zip: &[u8],
) -> Result<Vec<u8>, Error> {
    let graph = Graph::of(metadata);
    let linked = graph.linked(&function.package_id);
    let all = graph.reached(&function.package_id);
    let mut components = Vec::new();
    let mut edges = BTreeMap::new();
    for id in &all {
        let Some(package) = graph.packages.get(id) else {
            continue;
        };
        let purl = purl(package, &metadata.workspace_root);
        let uses = graph.uses(id, |_| true);
        let uses = uses.filter_map(|it| graph.packages.get(it));
        let uses: BTreeSet<String> = uses
            .map(|it| self::purl(it, &metadata.workspace_root))
            .collect();
        edges.insert(purl.clone(), uses);
        components.push((
            purl.clone(),
            component(package, &purl, lock, linked.contains(id)),
        ));
    }
    components.sort_by(|one, two| one.0.cmp(&two.0));
    let root = graph.packages.get(function.package_id.as_str());
    let root = root.map(|it| purl(it, &metadata.workspace_root));
    let reference = format!("function:{}", function.name);
    edges.insert(reference.clone(), root.into_iter().collect());
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [tool()] },
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": function.name,
                "version": function.version,
                "hashes": [{ "alg": "SHA-256", "content": sha256(zip) }],
            },
            "properties": [{ "name": "cdx:rustc:sbom:target:triple", "value": target }],
        },
        "components": components.into_iter().map(|it| it.1).collect::<Vec<_>>(),
        "dependencies": edges.into_iter().map(edge).collect::<Vec<_>>(),
    });
    document["serialNumber"] = json!(serial_number(&document.to_string()));
    let text = serde_json::to_string_pretty(&document);
    let text = text.map_err(|err| Error::Unreadable(format!("no bill of materials: {err}")))?;
    Ok(format!("{text}\n").into_bytes())
}

fn tool() -> Value {
    json!({ "type": "application", "name": "structure-lint", "version": env!("CARGO_PKG_VERSION") })
}

fn edge((from, to): (String, BTreeSet<String>)) -> Value {
    json!({ "ref": from, "dependsOn": to })
}

/// `excluded` is what only the compiler runs: macros, build scripts and what these use.
fn component(package: &Package, purl: &str, lock: &Lock, is_linked: bool) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "scope": if is_linked { "required" } else { "excluded" },
    });
    if let Some(license) = &package.license {
        // Before SPDX, a slash meant a choice.
        let expression = license.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(checksum) = lock.checksum(package) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

/// The package's name for scanners. What lies in the workspace says so, as a registry may have
/// another package of that name.
fn purl(package: &Package, root: &Path) -> String {
    let Package { name, version, .. } = package;
    let purl = format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"));
    match package.source.as_deref() {
        Some(source)
            if source.starts_with("registry+https://github.com/rust-lang/crates.io-index") =>
        {
            purl
        }
        Some(source) if source.starts_with("git+") => {
            format!(
                "{purl}?vcs_url={}",
                source.replace('#', "@").replace('+', "%2B")
            )
        }
        Some(source) => format!("{purl}?repository_url={}", source.replace('+', "%2B")),
        None => {
            let dir = package.manifest_path.parent().unwrap_or(root);
            let dir = dir.strip_prefix(root).unwrap_or(Path::new(""));
            format!("{purl}?download_url=file:{}", dir.display())
        }
    }
}

/// A name of the form of a UUID (version 8: made from something else) for a content.
fn serial_number(content: &str) -> String {
    let hash = sha256(content.as_bytes());
    format!(
        "urn:uuid:{}-{}-8{}-8{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[12..15],
        &hash[15..18],
        &hash[18..30]
    )
}

/// Who uses whom.
struct Graph<'a> {
    packages: BTreeMap<&'a str, &'a Package>,
    nodes: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn of(metadata: &'a Metadata) -> Graph<'a> {
        let packages = metadata.packages.iter().map(|it| (it.id.as_str(), it));
        let nodes = metadata.resolve.nodes.iter();
        Graph {
            packages: packages.collect(),
            nodes: nodes.map(|it| (it.id.as_str(), it)).collect(),
        }
    }

    /// What a package uses, apart from its tests; `wanted` says of what kind.
    fn uses(&self, id: &str, wanted: fn(Option<&str>) -> bool) -> impl Iterator<Item = &'a str> {
        let links = self.nodes.get(id).map(|it| it.deps.as_slice());
        let links = links.unwrap_or_default().iter();
        let links = links.filter(move |it| {
            let mut kinds = it.dep_kinds.iter().map(|it| it.kind.as_deref());
            kinds.any(|it| it != Some("dev") && wanted(it))
        });
        links.map(|it| it.pkg.as_str())
    }

    /// What is linked into a package's binaries, with itself.
    fn linked(&self, id: &'a str) -> BTreeSet<&'a str> {
        self.walk(id, |it| it.is_none(), |it| !it.is_proc_macro())
    }

    /// What a build of the package takes, with itself.
    fn reached(&self, id: &'a str) -> BTreeSet<&'a str> {
        self.walk(id, |_| true, |_| true)
    }

    fn walk(
        &self,
        start: &'a str,
        kind: fn(Option<&str>) -> bool,
        enters: fn(&Package) -> bool,
    ) -> BTreeSet<&'a str> {
        let (mut found, mut open) = (BTreeSet::from([start]), vec![start]);
        while let Some(id) = open.pop() {
            for used in self.uses(id, kind) {
                let is_wanted = self.packages.get(used).is_some_and(|it| enters(it));
                if is_wanted && found.insert(used) {
                    open.push(used);
                }
            }
        }
        found
    }
}
