//! Every dependency of a member is used by its code. What dependencies may be is `deny.toml`'s.

use std::fs;
use std::path::{Path, PathBuf};

use tests::fixtures::source_files::rust_files;

/// Libraries with another name than their package.
const NAMES: [(&str, &str); 1] = [("lint-tool", "structure_lint")];

#[test]
fn no_member_depends_on_what_it_does_not_use() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut unused = Vec::new();
    for folder in members(&root) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let code = rust_files(&folder)
            .into_iter()
            .map(|it| fs::read_to_string(it).unwrap());
        for dependency in unused_in(&manifest, &code.collect::<String>()) {
            unused.push(format!(
                "{}: {dependency}",
                folder.strip_prefix(&root).unwrap().display()
            ));
        }
    }
    assert!(unused.is_empty(), "no code names these: {unused:#?}");
}

#[test]
fn a_dependency_is_used_where_its_name_is_a_word_of_the_code() {
    let manifest = "
        [dependencies]
        serde.workspace = true
        tower-http = { workspace = true, features = ['cors'] }
        [dev-dependencies]
        lint-tool.workspace = true
        tower.workspace = true";
    let code = "use tower_http::cors; structure_lint::assert_clean!(); let serde_json = 1;";
    assert_eq!(unused_in(manifest, code), ["serde", "tower"]);
}

fn unused_in(manifest: &str, code: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    let words: Vec<_> = code.split(|it| !is_part(it)).collect();
    let library = |package: &str| match NAMES.iter().find(|(name, _)| *name == package) {
        Some((_, library)) => (*library).to_owned(),
        None => package.replace('-', "_"),
    };
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|it| manifest.get(*it)?.as_table())
        .flat_map(|it| it.keys())
        .filter(|it| !words.contains(&library(it).as_str()))
        .cloned()
        .collect()
}

/// The folders of the workspace's members.
fn members(root: &Path) -> Vec<PathBuf> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let folders = members.iter().map(|it| it.as_str().unwrap());
    folders
        .flat_map(|it| match it.strip_suffix("/*") {
            Some(parent) => fs::read_dir(root.join(parent))
                .unwrap()
                .map(|it| it.unwrap().path())
                .collect(),
            None => vec![root.join(it)],
        })
        .filter(|it| it.join("Cargo.toml").exists())
        .collect()
}
