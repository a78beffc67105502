//! `fix` and `init`: the commands that write files.

use std::path::Path;
use std::process::ExitCode;

use super::print;
use crate::check;
use crate::config;
use crate::date::Date;
use crate::error::Error;
use crate::{fix, infer};

/// Fixes what can be fixed; with `dry_run` it only says which lines would change.
pub(super) fn fix(root: &Path, dry_run: bool) -> Result<ExitCode, Error> {
    let (files, config) = check::read(root)?;
    let before = files.clone();
    let changed = check::with_deep_stack(0, || fix::fix(files, &config, today()))??;
    for (file, text) in &changed {
        print(&changes(file, before.get(file).unwrap_or_default(), text));
        if !dry_run {
            write(root, file, text)?;
        }
    }
    let (count, plural) = (changed.len(), if changed.len() == 1 { "" } else { "s" });
    let verb = if dry_run { "would change" } else { "changed" };
    print(&format!("structure-lint: {verb} {count} file{plural}\n"));
    Ok(ExitCode::SUCCESS)
}

/// The lines that only one of the texts has, in order.
fn changes(file: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut text = format!("{file}\n");
    let (mut at, mut to) = (0, 0);
    while at < old.len() {
        if new.get(to) == Some(&old[at]) {
            (at, to) = (at + 1, to + 1);
            continue;
        }
        text.push_str(&format!("  {} - {}\n", at + 1, old[at]));
        // A fix changes a line in place or takes it out.
        let is_gone = old.get(at + 1).is_some_and(|it| new.get(to) == Some(it));
        if let (false, Some(line)) = (is_gone, new.get(to)) {
            text.push_str(&format!("  {} + {line}\n", to + 1));
            to += 1;
        }
        at += 1;
    }
    text
}

/// Writes a first `structure-lint.toml`; one that is there is left alone.
pub(super) fn init(root: &Path, inferred: bool) -> Result<ExitCode, Error> {
    let (files, _) = check::read(root)?;
    if files.has(config::FILE_NAME) {
        let message = format!(
            "there is a `{}` already; remove it first",
            config::FILE_NAME
        );
        return Err(Error::Usage(message));
    }
    let text = if inferred {
        check::with_deep_stack(0, || infer::infer(&files, today()))??
    } else {
        infer::starter()
    };
    write(root, config::FILE_NAME, &text)?;
    print(&format!("structure-lint: wrote `{}`\n", config::FILE_NAME));
    Ok(ExitCode::SUCCESS)
}

fn write(root: &Path, file: &str, text: &str) -> Result<(), Error> {
    std::fs::write(root.join(file), text)
        .map_err(|err| Error::Unreadable(format!("cannot write `{file}`: {err}")))
}

pub(super) fn today() -> Date {
    Date::of(std::time::SystemTime::now())
}
