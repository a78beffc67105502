//! `baseline update|shrink|mv`: the only code that writes the baseline.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::{Baseline, FILE_NAME, Key};
use crate::check;
use crate::date::Date;
use crate::error::Error;

/// What to do with the baseline.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write down every finding of now.
    Update {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
    },
    /// Take out what is fixed; nothing is added.
    Shrink {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
    },
    /// Follow a module or file that has another name now.
    Mv {
        /// `aam::db`, or a path from the root.
        old: String,
        new: String,
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
    },
}

impl Command {
    /// The workspace that was named.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Command::Update { path } | Command::Shrink { path } | Command::Mv { path, .. } => {
                path.clone()
            }
        }
    }
}

/// Runs a command on the workspace at `root` and says what changed.
pub fn run(root: &Path, command: &Command) -> Result<ExitCode, Error> {
    let (before, found) = findings(root)?;
    let after = match command {
        Command::Update { .. } => found,
        Command::Shrink { .. } => shrunk(&before, &found),
        Command::Mv { old, new, .. } => moved(&before, old, new)?,
    };
    write(&root.join(FILE_NAME), &after.text())
        .map_err(|err| Error::Unreadable(format!("cannot write `{FILE_NAME}`: {err}")))?;
    let count = |it: &Baseline| it.0.values().sum::<usize>();
    eprintln!(
        "structure-lint: {FILE_NAME} knows {} findings, before {}",
        count(&after),
        count(&before)
    );
    Ok(ExitCode::SUCCESS)
}

/// The baseline as it is, and one of every finding.
fn findings(root: &Path) -> Result<(Baseline, Baseline), Error> {
    let (mut files, config) = check::read(root)?;
    let before = Baseline::of(&files).map_err(|err| Error::Usage(format!("{err:#}")))?;
    files.remove(FILE_NAME);
    let today = Date::of(std::time::SystemTime::now());
    let report = check::with_deep_stack(0, || check::check_files(&files, &config, today))??;
    let found = report.diagnostics.iter().chain(&report.following);
    Ok((before, Baseline::of_findings(found)))
}

fn shrunk(before: &Baseline, found: &Baseline) -> Baseline {
    let known = before.0.iter().filter_map(|(key, count)| {
        let now = found.0.get(key)?;
        Some((key.clone(), *now.min(count)))
    });
    Baseline(known.collect())
}

fn moved(before: &Baseline, old: &str, new: &str) -> Result<Baseline, Error> {
    let mut after: BTreeMap<Key, usize> = BTreeMap::new();
    for (key, count) in &before.0 {
        let key = Key {
            rule: key.rule.clone(),
            from: renamed(&key.from, old, new),
            to: renamed(&key.to, old, new),
        };
        *after.entry(key).or_default() += count;
    }
    if after == before.0 {
        return Err(Error::Usage(format!(
            "no entry of `{FILE_NAME}` names `{old}`"
        )));
    }
    Ok(Baseline(after))
}

/// `old` and what lies below it, under the new name.
fn renamed(name: &str, old: &str, new: &str) -> String {
    match name.strip_prefix(old) {
        Some(rest) if rest.is_empty() || rest.starts_with("::") || rest.starts_with('/') => {
            format!("{new}{rest}")
        }
        _ => name.to_owned(),
    }
}

/// Whole or not at all, also when two write at once.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, text)?;
    fs::rename(&temporary, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(entries: &[(&str, &str, usize)]) -> Baseline {
        let key = |from: &str, to: &str| Key {
            rule: "SL011".into(),
            from: from.into(),
            to: to.into(),
        };
        Baseline(
            entries
                .iter()
                .map(|(from, to, count)| (key(from, to), *count))
                .collect(),
        )
    }

    #[test]
    fn shrinking_never_adds() {
        let before = baseline(&[("a", "b", 2), ("a", "c", 1), ("x", "y", 1)]);
        let found = baseline(&[("a", "b", 1), ("a", "c", 5), ("new", "y", 1)]);
        assert_eq!(
            shrunk(&before, &found),
            baseline(&[("a", "b", 1), ("a", "c", 1)])
        );
    }

    #[test]
    fn a_move_follows_what_lies_below_and_adds_up() {
        let before = baseline(&[
            ("a::db", "b", 1),
            ("a::db::x", "b", 1),
            ("a::dbx", "a::db", 1),
            ("c", "b", 2),
        ]);
        let after = moved(&before, "a::db", "c").unwrap();
        assert_eq!(
            after,
            baseline(&[("a::dbx", "c", 1), ("c", "b", 3), ("c::x", "b", 1)])
        );
        assert!(moved(&before, "gone", "c").is_err());
    }
}
