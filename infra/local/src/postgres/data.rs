//! A data directory: who holds it, how it is made, and what a killed server has left in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::{Binaries, Profile};
use crate::wheel;

/// How long a server that lost its starter may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest folder a socket can stand in: 108 bytes less `/.s.PGSQL.5432` and its end.
const MAX_FOLDER: usize = 108 - 15;

/// Holds the directory against every other process, until dropped.
pub(super) fn hold(data: &Path) -> anyhow::Result<File> {
    let path = data.with_added_extension("lock");
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            lock.read_to_string(&mut holder)?;
            bail!(
                "the database in {} is in use by process {holder}: stop that one first",
                data.display()
            );
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{}", std::process::id())?;
    Ok(lock)
}

/// Removes the directory and everything in it, unless a server uses it.
pub fn erase(data: &Path) -> anyhow::Result<()> {
    if !data.exists() {
        return Ok(());
    }
    let _held = hold(data)?;
    clear(data)?;
    wheel::remove(data)
}

/// Makes the directory if it is new; an interrupted attempt is thrown away.
pub(super) fn make(binaries: &Binaries, data: &Path, profile: Profile) -> anyhow::Result<()> {
    let unfinished = data.with_added_extension("new");
    wheel::remove(&unfinished)?;
    if let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) {
        let (version, major) = (version.trim(), binaries.major);
        ensure!(
            version == major.to_string(),
            "the database in {} was made by PostgreSQL {version}, and this is {major}: \
             set PG_BIN to the older one, or remove the folder to begin anew",
            data.display()
        );
        return Ok(());
    }
    let mut command = binaries.command("initdb");
    command.arg("--pgdata").arg(&unfinished);
    command.args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-locale",
    ]);
    if binaries.major >= 17 {
        // Knows every letter's case, and sorts the same on each machine.
        command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    }
    if let Profile::Disposable = profile {
        command.arg("--no-sync");
    }
    let output = command
        .output()
        .with_context(|| format!("run {command:?}"))?;
    ensure!(
        output.status.success(),
        "initdb could not make {}{}: {}",
        data.display(),
        binaries.hint(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    fs::rename(&unfinished, data).with_context(|| format!("make {}", data.display()))
}

/// Who must give a password at a server of tests: members of the role `passworded`. Everybody else
/// is let in, as at the door of a lasting server, which only its user may reach.
pub(super) fn admit(data: &Path, profile: Profile) -> anyhow::Result<()> {
    const RULES: &str = "local all +passworded scram-sha-256\nlocal all all trust\n";
    let Profile::Disposable = profile else {
        return Ok(());
    };
    let path = data.join("pg_hba.conf");
    fs::write(&path, RULES).with_context(|| format!("write {}", path.display()))
}

/// Ends what still runs in a directory that this process holds, and removes stale marks.
///
/// A server is never adopted: it would have nobody to end it. It is also about to end by
/// itself, as its starter is gone.
pub(super) fn clear(data: &Path) -> anyhow::Result<()> {
    let Some(pid) = postmaster(data) else {
        return Ok(());
    };
    if !Path::new("/proc/self").exists() {
        return Ok(()); // PostgreSQL judges its own marks, a little less surely.
    }
    let data = &data.canonicalize()?;
    let running = running(data);
    if running.contains(&pid) {
        Command::new("sh")
            .args(["-c", &format!("kill -INT {pid}")])
            .output()?;
    }
    let deadline = Instant::now() + PATIENCE;
    while running.iter().any(|it| works_in(*it, data)) {
        ensure!(
            Instant::now() < deadline,
            "an earlier server of {} does not end: end process {pid}",
            data.display()
        );
        thread::sleep(Duration::from_millis(5));
    }
    // Safe only because nobody works here: the id in them may be another program's by now,
    // for which PostgreSQL would refuse to start.
    for mark in ["postmaster.pid", ".s.PGSQL.5432.lock", ".s.PGSQL.5432"] {
        let _ = fs::remove_file(data.join(mark));
    }
    Ok(())
}

/// The process id that a server has left in its directory.
pub(super) fn postmaster(data: &Path) -> Option<u32> {
    let marks = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    marks.lines().next()?.trim().parse().ok()
}

/// Every process of PostgreSQL works in its data directory.
fn running(data: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten();
    processes
        .filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok())
        .filter(|it| works_in(*it, data))
        .collect()
}

fn works_in(pid: u32, data: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|it| it == data)
}

/// A way to the directory that is short enough for a socket's address: itself, or a link to it.
/// The link bears the directory's number, so that there is one at most, and stays.
pub(super) fn address(data: &Path) -> anyhow::Result<PathBuf> {
    if data.as_os_str().len() <= MAX_FOLDER {
        return Ok(data.to_owned());
    }
    let folder = fs::metadata(data)?;
    let link = PathBuf::from(format!(
        "/tmp/postgres-{:x}-{:x}",
        folder.dev(),
        folder.ino()
    ));
    if let Err(error) = symlink(data, &link) {
        let ours = fs::symlink_metadata(&link).is_ok_and(|it| it.uid() == folder.uid());
        let right = fs::read_link(&link).is_ok_and(|it| it == data);
        ensure!(
            ours && right,
            "link {} to {}: {error}",
            link.display(),
            data.display()
        );
    }
    Ok(link)
}
