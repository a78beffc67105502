//! From published crates to the workspace that they were published from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use toml::{Table, Value};
use walkdir::WalkDir;

/// One line of `crates.tsv`.
pub(crate) struct Crate {
    name: String,
    version: String,
    /// Where it lies in its project; `.` for the root.
    folder: String,
}

/// The crates of each project, in the order of the file.
pub(crate) fn projects(list: &Path) -> Result<Vec<(String, Vec<Crate>)>> {
    let text = fs::read_to_string(list).context("cannot read the list of crates")?;
    let mut projects: Vec<(String, Vec<Crate>)> = Vec::new();
    for line in text.lines().filter(|it| !it.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [project, name, version, folder] = cells.as_slice() else {
            bail!("four cells are wanted in `{line}`");
        };
        let it = Crate {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            folder: (*folder).to_owned(),
        };
        match projects.last_mut().filter(|(last, _)| last == project) {
            Some((_, crates)) => crates.push(it),
            None => projects.push(((*project).to_owned(), vec![it])),
        }
    }
    Ok(projects)
}

/// Fetches a project's crates and puts each into its folder, unless that is done already.
pub(crate) fn lay_out(folder: &Path, project: &str, crates: &[Crate]) -> Result<PathBuf> {
    let root = folder.join("projects").join(project);
    if root.join("Cargo.toml").exists() {
        return Ok(root);
    }
    let registry = fetch(&folder.join("fetch").join(project), project, crates)?;
    let mut shared = Shared::default();
    for it in crates {
        let source = registry.join(format!("{}-{}", it.name, it.version));
        let target = root.join(it.folder.trim_start_matches('.'));
        copy(&source, &target)?;
        let original = fs::read_to_string(source.join("Cargo.toml.orig"))?;
        let published = fs::read_to_string(source.join("Cargo.toml"))?;
        shared.add(&original.parse()?, &published.parse()?);
        // The manifest of the root is written last, as it says that all is done.
        if it.folder != "." {
            fs::write(target.join("Cargo.toml"), original)?;
        }
    }
    let original = fs::read_to_string(root.join("Cargo.toml.orig")).unwrap_or_default();
    let manifest = if original.contains("[workspace]") {
        original
    } else {
        let own: Table = original.parse()?;
        format!("{}\n{original}", shared.workspace(crates, &own)?)
    };
    fs::write(root.join("Cargo.toml"), manifest)?;
    Ok(root)
}

/// Lets cargo fetch the crates, and says in which folder of its registry they lie.
fn fetch(dir: &Path, project: &str, crates: &[Crate]) -> Result<PathBuf> {
    fs::create_dir_all(dir.join("src"))?;
    fs::write(dir.join("src/lib.rs"), "")?;
    let dependencies: String = crates
        .iter()
        .map(|it| {
            format!(
                "{} = {{ version = \"={}\", default-features = false }}\n",
                it.name, it.version
            )
        })
        .collect();
    let manifest = format!(
        "[package]\nname = \"fetch-{project}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{dependencies}"
    );
    fs::write(dir.join("Cargo.toml"), manifest)?;
    let status = Command::new("cargo")
        .args(["fetch", "--quiet"])
        .current_dir(dir)
        .status()?;
    ensure!(status.success(), "cargo cannot fetch `{project}`");
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let sources = home.context("no CARGO_HOME")?.join("registry/src");
    let first = &crates[0];
    let name = format!("{}-{}", first.name, first.version);
    let mut registries = fs::read_dir(sources)?.filter_map(|it| Some(it.ok()?.path()));
    registries
        .find(|it| it.join(&name).exists())
        .with_context(|| format!("`{name}` is in no registry"))
}

fn copy(source: &Path, target: &Path) -> Result<()> {
    for entry in WalkDir::new(source) {
        let entry = entry?;
        let to = target.join(entry.path().strip_prefix(source)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to)?;
        } else if !["Cargo.lock", "Cargo.toml"]
            .iter()
            .any(|it| entry.file_name() == *it)
        {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// What members inherit, as far as their published manifests tell.
#[derive(Default)]
struct Shared {
    package: Table,
    dependencies: BTreeMap<String, Value>,
    lints: bool,
}

impl Shared {
    fn add(&mut self, original: &Table, published: &Table) {
        let own = |table: &Table| table.get("package").and_then(Value::as_table).cloned();
        let (original_package, published_package) = (own(original), own(published));
        for (key, value) in original_package.unwrap_or_default() {
            let known = published_package.as_ref().and_then(|it| it.get(&key));
            if let (true, Some(known)) = (is_inherited(&value), known) {
                self.package.insert(key, known.clone());
            }
        }
        self.lints |= original.get("lints").is_some_and(is_inherited);
        let published: BTreeMap<String, Value> = dependencies(published).into_iter().collect();
        for (key, _) in dependencies(original)
            .into_iter()
            .filter(|(_, it)| is_inherited(it))
        {
            let known = published.get(&key).cloned();
            let entry = known.map_or(Value::String("*".into()), without_use);
            self.dependencies.entry(key).or_insert(entry);
        }
    }

    /// The tables of a root manifest that has none of its own.
    fn workspace(&self, crates: &[Crate], own: &Table) -> Result<String> {
        let mut dependencies = Table::new();
        for (key, value) in &self.dependencies {
            let name = value.get("package").and_then(Value::as_str).unwrap_or(key);
            let member = crates.iter().find(|it| it.name == name);
            let value = member.map_or(value.clone(), |it| with_path(value, &it.folder));
            dependencies.insert(key.clone(), value);
        }
        let members: BTreeSet<&str> = crates.iter().map(|it| it.folder.as_str()).collect();
        let members = members.into_iter().filter(|it| *it != ".");
        let mut workspace = Table::new();
        workspace.insert("members".into(), members.collect::<Vec<_>>().into());
        workspace.insert("package".into(), self.package.clone().into());
        workspace.insert("dependencies".into(), dependencies.into());
        if self.lints {
            workspace.insert("lints".into(), Table::new().into());
        }
        let mut root = Table::new();
        root.insert("workspace".into(), workspace.into());
        ensure!(!own.contains_key("workspace"), "two workspace tables");
        Ok(toml::to_string(&root)?)
    }
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// Every entry of every table of dependencies.
fn dependencies(manifest: &Table) -> Vec<(String, Value)> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets
        .into_iter()
        .flat_map(|it| it.values().filter_map(Value::as_table));
    let tables = tables.chain([manifest]).flat_map(|it| {
        let found = kinds.iter().filter_map(|kind| it.get(*kind)?.as_table());
        found.collect::<Vec<&Table>>()
    });
    let entries = tables.flat_map(|it| it.iter().map(|(key, value)| (key.clone(), value.clone())));
    entries.collect()
}

/// An entry without what each member says for itself.
fn without_use(mut value: Value) -> Value {
    if let Value::Table(table) = &mut value {
        table.remove("optional");
        table.remove("features");
    }
    value
}

fn with_path(value: &Value, folder: &str) -> Value {
    let mut table = match value {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    table.insert("path".into(), folder.into());
    table.into()
}

/// How many lines of Rust a project has.
pub(crate) fn lines(root: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in WalkDir::new(root) {
        let entry = entry?;
        if entry.path().extension().is_some_and(|it| it == "rs") {
            count += fs::read(entry.path())?
                .iter()
                .filter(|it| **it == b'\n')
                .count();
        }
    }
    Ok(count)
}
