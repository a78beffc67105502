//! The files of a check: read from disk once, or written in a test as one text.
//!
//! **Invariant:** after reading, nothing touches the disk; rules are functions of this data.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use walkdir::{DirEntry, WalkDir};

/// More than anybody writes by hand, and than a check should hold in memory.
const MAX_FILE: u64 = 16 << 20;

/// Files by their path from the root, and where symbolic links lead.
#[derive(Debug, Clone, Default)]
pub struct SourceFiles {
    files: BTreeMap<String, String>,
    /// Link → its target from the root, or `None` when it leaves the root.
    links: BTreeMap<String, Option<String>>,
    /// File → why its text cannot be had.
    unreadable: BTreeMap<String, String>,
}

impl SourceFiles {
    /// Reads every source, manifest, SQL, README and configuration file below `root`.
    pub fn read(root: &Path) -> Result<SourceFiles> {
        let root = root
            .canonicalize()
            .with_context(|| format!("cannot open `{}`", root.display()))?;
        let mut files = SourceFiles::default();
        for entry in WalkDir::new(&root)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(is_visible)
        {
            let entry = entry.context("cannot list the workspace")?;
            files.add(&root, &entry)?;
        }
        Ok(files)
    }

    fn add(&mut self, root: &Path, entry: &DirEntry) -> Result<()> {
        let path = relative(root, entry.path());
        if entry.path_is_symlink() {
            let target = entry.path().canonicalize().ok();
            let inside = target.filter(|it| it.starts_with(root));
            let path_inside = inside.as_ref().map(|it| relative(root, it));
            self.links.insert(path.clone(), path_inside);
            if let Some(target) = inside {
                self.add_linked(root, &path, &target)?;
            }
        } else if entry.file_type().is_file() && is_wanted(&path) {
            let size = entry.metadata().map_or(0, |it| it.len());
            if size > MAX_FILE {
                let reason = format!("it is larger than {} MB", MAX_FILE >> 20);
                self.unreadable.insert(path, reason);
                return Ok(());
            }
            let bytes =
                std::fs::read(entry.path()).with_context(|| format!("cannot read `{path}`"))?;
            self.put(&path, bytes);
        }
        Ok(())
    }

    /// Adds what a link inside the root leads to, under the link's own path, as a compiler opens it.
    fn add_linked(&mut self, root: &Path, link: &str, target: &Path) -> Result<()> {
        // A link to a folder that holds it would never end.
        if root.join(link).starts_with(target) {
            return Ok(());
        }
        let below = WalkDir::new(target).sort_by_file_name().into_iter();
        for entry in below.filter_entry(is_visible) {
            let entry = entry.context("cannot list a linked folder")?;
            let rest = relative(target, entry.path());
            let path = if rest.is_empty() {
                link.to_owned()
            } else {
                format!("{link}/{rest}")
            };
            let is_source = path.ends_with(".rs") && entry.file_type().is_file();
            if is_source && entry.metadata().is_ok_and(|it| it.len() <= MAX_FILE) {
                let bytes = std::fs::read(entry.path());
                self.put(
                    &path,
                    bytes.with_context(|| format!("cannot read `{path}`"))?,
                );
            }
        }
        Ok(())
    }

    /// Adds a file.
    pub(crate) fn put(&mut self, path: &str, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => drop(self.files.insert(path.to_owned(), text)),
            Err(err) => {
                let reason = err.utf8_error().to_string();
                self.unreadable.insert(path.to_owned(), reason);
            }
        }
    }

    /// A tree written as one text: a line `//- path` begins a file.
    ///
    /// `//- a/src/lib.rs uses b, c` also writes `a/Cargo.toml` with these path dependencies. Text
    /// before the first header is `src/lib.rs`. Manifests that are not given are made up.
    pub fn fixture(text: &str) -> SourceFiles {
        let mut files = SourceFiles::default();
        let mut manifests = BTreeMap::new();
        let mut path = "src/lib.rs".to_owned();
        for line in text.lines() {
            if let Some(header) = line.trim().strip_prefix("//- ") {
                let (name, uses) = header.split_once(" uses ").unwrap_or((header, ""));
                path = name.trim().to_owned();
                files.files.insert(path.clone(), String::new());
                let dir = path
                    .split_once("/src/")
                    .map_or("", |(dir, _)| dir)
                    .to_owned();
                if path.contains("src/") {
                    manifests
                        .entry(dir)
                        .or_insert_with(Vec::new)
                        .extend(names(uses));
                }
            } else if !line.trim().is_empty() || files.files.contains_key(&path) {
                let file = files.files.entry(path.clone()).or_default();
                file.push_str(line);
                file.push('\n');
            }
        }
        files.add_manifests(manifests);
        files
    }

    fn add_manifests(&mut self, manifests: BTreeMap<String, Vec<String>>) {
        for (dir, uses) in &manifests {
            let path = if dir.is_empty() {
                "Cargo.toml".into()
            } else {
                format!("{dir}/Cargo.toml")
            };
            let up = "../".repeat(dir.matches('/').count() + 1);
            let mut text = format!("[package]\nname = \"{}\"\nedition = \"2024\"\n", last(dir));
            text.push_str("\n[dependencies]\n");
            for name in uses {
                let member = manifests
                    .keys()
                    .find(|it| !it.is_empty() && last(it) == name);
                let source = member.map_or("\"1\"".to_owned(), |it| {
                    format!("{{ path = \"{up}{it}\" }}")
                });
                text.push_str(&format!("{name} = {source}\n"));
            }
            self.files.entry(path).or_insert(text);
        }
        let members: Vec<&String> = manifests.keys().filter(|it| !it.is_empty()).collect();
        let root = if members.is_empty() {
            "[package]\nname = \"app\"\nedition = \"2024\"\n".to_owned()
        } else {
            format!("[workspace]\nmembers = {members:?}\n")
        };
        self.files.entry("Cargo.toml".into()).or_insert(root);
    }

    /// The text of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Forgets a file.
    pub(crate) fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Replaces the text of a file, or adds one.
    pub fn set(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), text);
    }

    /// Whether a file is there, readable or not; a link that leaves the root is, too.
    pub fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
            || self.unreadable.contains_key(path)
            || self.links.contains_key(path)
    }

    /// Every path, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All that it holds, in one order, for a hash.
    pub(crate) fn each(&self, part: &mut dyn FnMut(&str)) {
        for (path, text) in &self.files {
            part(path);
            part(text);
        }
        for (link, target) in &self.links {
            part(link);
            part(target.as_deref().unwrap_or("/"));
        }
        for (path, reason) in &self.unreadable {
            part(path);
            part(reason);
        }
    }

    /// Files that are too large or not UTF-8, with the reason.
    pub fn unreadable(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unreadable
            .iter()
            .map(|(path, reason)| (path.as_str(), reason.as_str()))
    }

    /// Where `path` leads once links are followed; `None` when that is outside of the root.
    pub fn follow(&self, path: &str) -> Option<String> {
        let link = self
            .links
            .iter()
            .find(|(link, _)| crate::paths::is_within(path, link));
        match link {
            Some((link, target)) => Some(format!("{}{}", target.as_ref()?, &path[link.len()..])),
            None => Some(path.to_owned()),
        }
    }
}

/// Hidden folders and what tools write are no source; a module may well be called `target`.
fn is_visible(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_output = || {
        let beside = entry.path().with_file_name("Cargo.toml");
        name == "node_modules" || (name == "target" && beside.is_file())
    };
    entry.depth() == 0 || !(name.starts_with('.') || (entry.file_type().is_dir() && is_output()))
}

/// Whether a check reads the file.
pub(crate) fn is_wanted(path: &str) -> bool {
    let name = crate::paths::file_name(path);
    name.ends_with(".rs")
        || name.ends_with(".sql")
        || name == "Cargo.toml"
        || name == "README.md"
        || name == crate::config::FILE_NAME
        || path == crate::baseline::FILE_NAME
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.components()
        .map(|it| it.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

fn names(list: &str) -> Vec<String> {
    list.split(',')
        .map(|it| it.trim().to_owned())
        .filter(|it| !it.is_empty())
        .collect()
}

fn last(dir: &str) -> &str {
    match crate::paths::file_name(dir) {
        "" => "app",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixture_writes_its_manifests() {
        let files = SourceFiles::fixture(
            "//- crates/a/src/lib.rs uses b, serde\nx\n//- crates/b/src/lib.rs\n",
        );
        let manifest = files.get("crates/a/Cargo.toml").unwrap();
        assert!(
            manifest.contains("b = { path = \"../../crates/b\" }"),
            "{manifest}"
        );
        assert!(manifest.contains("serde = \"1\""), "{manifest}");
        assert!(files.get("Cargo.toml").unwrap().contains("\"crates/a\""));
    }
}
