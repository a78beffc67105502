//! Fixes in manifests: a line of a dependency table that the workspace's entry can replace.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{Edit, offset};
use crate::diagnostic::Diagnostic;
use crate::files::SourceFiles;

/// `x = "1"` as `x.workspace = true`, where the workspace says the same.
pub(super) fn inherit(files: &SourceFiles, it: &Diagnostic, text: &str) -> Option<Edit> {
    let start = offset(text, (it.place.span.line, it.place.span.column))?;
    let line = text[start..].lines().next()?;
    let root: Table = files.get("Cargo.toml")?.parse().ok()?;
    let shared = root.get("workspace")?.get("dependencies")?.as_table()?;
    // Only an entry that is one line is rewritten.
    let (name, entry) = line.parse::<Table>().ok()?.into_iter().next()?;
    let (own, shared) = (details(&entry)?, details(shared.get(&name)?)?);
    if !line.starts_with(&name) || !says_the_same(&own, &shared) {
        return None;
    }
    let end = start
        + line
            .find(" #")
            .map_or(line.trim_end().len(), |at| line[..at].trim_end().len());
    let mut added: Vec<String> = ["features", "optional"]
        .iter()
        .filter_map(|key| Some(format!("{key} = {}", own.get(*key)?)))
        .collect();
    if features(&own) == features(&shared) {
        added.retain(|it| !it.starts_with("features"));
    }
    let with = match added.as_slice() {
        [] => format!("{name}.workspace = true"),
        added => format!("{name} = {{ workspace = true, {} }}", added.join(", ")),
    };
    let file = it.place.file.clone();
    Some(Edit {
        file,
        start,
        end,
        with,
    })
}

fn details(entry: &Value) -> Option<Table> {
    match entry {
        Value::String(_) => Some(Table::from_iter([("version".to_owned(), entry.clone())])),
        Value::Table(table) => Some(table.clone()),
        _ => None,
    }
}

fn features(entry: &Table) -> BTreeSet<&str> {
    let list = entry.get("features").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Versions are equal as text, both have the default features or neither has, and the workspace asks for
/// no feature that the entry does not ask for.
fn says_the_same(own: &Table, shared: &Table) -> bool {
    let only = |table: &Table, known: &[&str]| table.keys().all(|it| known.contains(&it.as_str()));
    own.contains_key("version")
        && own.get("version") == shared.get("version")
        && own.get("default-features") == shared.get("default-features")
        && features(shared).is_subset(&features(own))
        && only(
            own,
            &["version", "features", "default-features", "optional"],
        )
        && only(shared, &["version", "features", "default-features"])
}
