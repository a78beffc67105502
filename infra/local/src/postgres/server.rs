//! A running PostgreSQL.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{Binaries, data};
use crate::child_process::Process;
use crate::wheel;

/// How long a start may take: recovery after a crash reads the log again.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the data is worth.
#[derive(Clone, Copy, Debug)]
pub enum Profile {
    /// What is committed survives a kill and a loss of power.
    Lasting,
    /// A kill loses the last moments, a loss of power everything; quick, for many connections.
    /// A directory that cannot be used is made anew.
    Disposable,
}

/// A private server; dropping it stops the server.
#[derive(Debug)]
pub struct Server {
    // Stopped before the directory is given free: fields drop in their order.
    process: Process,
    data: PathBuf,
    _held: File,
}

impl Server {
    /// Starts a server on `data` and waits until it answers; makes the directory if it is new.
    ///
    /// Blocks. The server ends with this process at the latest, however this process ends.
    pub fn start(binaries: &Binaries, data: &Path, profile: Profile) -> anyhow::Result<Server> {
        let parent = data.parent().context("a data directory needs a parent")?;
        fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        let name = data.file_name().context("a data directory needs a name")?;
        let data = parent.canonicalize()?.join(name);

        let held = data::hold(&data)?;
        let process = match (open(binaries, &data, profile), profile) {
            (Err(error), Profile::Disposable) => {
                tracing::warn!("{}: {error:#}; making it anew", data.display());
                wheel::remove(&data)?;
                open(binaries, &data, profile)?
            }
            (process, _) => process?,
        };
        Ok(Server {
            process,
            data,
            _held: held,
        })
    }

    /// The process id of the server.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the server still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.ended(), Ok(None))
    }

    /// How to connect as the owner to the database `postgres`.
    pub fn options(&self) -> anyhow::Result<PgConnectOptions> {
        options(&self.data)
    }

    /// The same as a connection string, which psql understands too.
    pub fn url(&self) -> anyhow::Result<String> {
        url(&self.data, "postgres")
    }

    /// The same for a role that needs no password here.
    pub fn url_of(&self, role: &str) -> anyhow::Result<String> {
        url_of(&self.data, role, "postgres")
    }

    /// Ends every session, writes everything down and ends.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let status = self.process.stop()?;
        if !status.success() {
            bail!("postgres ended with {status}: {}", last_words(&self.data));
        }
        Ok(())
    }
}

/// Whether a server of `data` accepts connections, by the mark that `pg_ctl --wait` reads
/// and, as a killed server leaves that mark behind, by a knock on its door.
pub fn accepts(data: &Path) -> bool {
    let marks = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let ready = marks.lines().nth(7).is_some_and(|it| it.trim() == "ready");
    ready
        && data::address(data).is_ok_and(|it| UnixStream::connect(it.join(".s.PGSQL.5432")).is_ok())
}

/// How to connect as the owner to the database `postgres` of the server on `data`.
pub fn options(data: &Path) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(data::address(data)?)
        .port(5432)
        .username("postgres")
        .database("postgres")
        .ssl_mode(PgSslMode::Disable);
    Ok(options)
}

/// The same for any database, as a connection string, which psql understands too.
pub fn url(data: &Path, database: &str) -> anyhow::Result<String> {
    url_of(data, "postgres", database)
}

fn url_of(data: &Path, role: &str, database: &str) -> anyhow::Result<String> {
    let host = percent(data::address(data)?.as_os_str());
    Ok(format!(
        "postgres://{role}@localhost:5432/{database}?host={host}&sslmode=disable"
    ))
}

/// Starts a server on a directory that this process holds, and waits until it answers.
fn open(binaries: &Binaries, data: &Path, profile: Profile) -> anyhow::Result<Process> {
    data::make(binaries, data, profile)?;
    data::clear(data)?;
    data::admit(data, profile)?;
    let mut process = spawn(binaries, data, profile)?;
    let deadline = Instant::now() + PATIENCE;
    while !accepts(data) {
        if let Some(status) = process.ended()? {
            bail!("postgres does not start ({status}): {}", last_words(data));
        }
        if Instant::now() > deadline {
            bail!("postgres does not answer: see {}", log(data).display());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(process)
}

fn spawn(binaries: &Binaries, data: &Path, profile: Profile) -> anyhow::Result<Process> {
    let path = log(data);
    let output = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    let errors = output.try_clone()?;
    let words = binaries.program("postgres");
    Process::start(words[0].as_os_str(), |command| {
        command.args(&words[1..]).arg("-D").arg(data);
        for setting in settings(profile) {
            command.args(["-c", setting]);
        }
        command.stdout(output).stderr(errors);
    })
    .context("run sh to start postgres")
}

fn settings(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Lasting => &["listen_addresses=", "unix_socket_directories=."],
        Profile::Disposable => &[
            "listen_addresses=",
            "unix_socket_directories=.",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=300",
            "shared_buffers=256MB",
            "autovacuum=off",
        ],
    }
}

fn log(data: &Path) -> PathBuf {
    data.with_added_extension("log")
}

fn last_words(data: &Path) -> String {
    let text = fs::read_to_string(log(data)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("; ")
}

fn percent(text: &OsStr) -> String {
    let mut out = String::new();
    for byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => {
                out.push(char::from(*byte));
            }
            _ => write!(out, "%{byte:02X}").expect("a String takes every write"),
        }
    }
    out
}

#[cfg(test)]
impl Server {
    /// What is left when the starter is killed, had its server not noticed.
    pub(super) fn abandon(self) -> (Process, PathBuf) {
        (self.process, self.data)
    }
}
