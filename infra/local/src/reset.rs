//! Erasing what the local platform has made.
//!
//! **Invariant:** keys that a database needs which is not erased with them stay: nothing else opens
//! what was sealed there.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use platform::db;

use crate::postgres;
use crate::settings::Settings;

/// Notes that a database which is not the private one is written with the local keys.
pub(crate) fn note(settings: &Settings, database: &db::ConnectOptions) -> anyhow::Result<()> {
    let (path, line) = (settings.databases(), address(database));
    if noted(&path)?.contains(&line) {
        return Ok(());
    }
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path);
    file.and_then(|mut it| writeln!(it, "{line}"))
        .with_context(|| format!("writing {}", path.display()))
}

/// Where a database is, without who signs in.
pub(crate) fn address(database: &db::ConnectOptions) -> String {
    let name = database.get_database().unwrap_or_default();
    match database.get_socket() {
        Some(socket) => format!("{}/{name}", socket.display()),
        None => format!("{}:{}/{name}", database.get_host(), database.get_port()),
    }
}

fn noted(path: &Path) -> anyhow::Result<Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Erases the private database, and the keys where no other database needs them, once `answers`
/// says yes to it. None where nobody is to be asked.
///
/// # Errors
/// Where the answer is another one, or a platform runs.
pub fn reset(settings: &Settings, answers: Option<&mut dyn BufRead>) -> anyhow::Result<()> {
    let mut others = noted(&settings.databases())?;
    others.extend(settings.database.as_ref().map(address));
    others.sort();
    others.dedup();
    let mut doomed = vec![settings.data(), settings.lambda()];
    if others.is_empty() {
        doomed.push(settings.secrets());
    }
    doomed.retain(|it| it.exists());
    if doomed.is_empty() {
        println!("there is nothing to erase in {}", settings.dev.display());
        say_what_stays(settings, &others);
        return Ok(());
    }
    if let Some(answers) = answers {
        ask(&doomed, answers)?;
    }
    postgres::erase(&settings.data())?;
    for file in doomed.iter().filter(|it| it.is_file()) {
        fs::remove_file(file).with_context(|| format!("erasing {}", file.display()))?;
    }
    println!("erased: the next start makes a new private database");
    say_what_stays(settings, &others);
    Ok(())
}

fn ask(doomed: &[PathBuf], answers: &mut dyn BufRead) -> anyhow::Result<()> {
    println!("This erases for good:");
    for path in doomed {
        println!("  {}", path.display());
    }
    print!("Erase it? yes or no: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    ensure!(
        answer.trim() == "yes",
        "nothing was erased: answer `yes`, or say so at once with `reset --yes`"
    );
    Ok(())
}

fn say_what_stays(settings: &Settings, others: &[String]) {
    let secrets = settings.secrets();
    if !others.is_empty() && secrets.exists() {
        println!(
            "the keys in {} stay: {} cannot be read without them. Erase both yourself where you \
             need neither",
            secrets.display(),
            others.join(", ")
        );
    }
}
