//! The process that owns the server, and the leases that keep it.

use std::env;
use std::fs::{File, TryLockError};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use local::postgres::{Binaries, Profile, Server, accepts};
use sqlx::ConnectOptions;

use super::{PREFIX, data, drop_database, folder, open, options, run};

/// How long a server waits for another test.
const IDLE: Duration = Duration::from_secs(10);

/// How long a test waits for a server; the first one of all downloads it.
const PATIENCE: Duration = Duration::from_secs(300);

/// Starts the server, and ends it when no lease has been held for a while.
pub fn keep() -> anyhow::Result<()> {
    let lock = open("keeper.lock")?;
    while !try_lock(&lock)? {
        if accepts(&data()) {
            return Ok(()); // Another keeper serves.
        }
        thread::sleep(Duration::from_millis(20));
    }
    let pg_bin = platform::env::optional::<PathBuf>("PG_BIN")?;
    let binaries = Binaries::find(pg_bin.as_deref(), &crate::dev(), &mut |it| {
        eprintln!("{it}")
    })?;
    let mut server = Server::start(&binaries, &data(), Profile::Disposable)?;

    let leases = open("leases")?;
    let mut wanted = Instant::now();
    loop {
        thread::sleep(Duration::from_millis(200));
        ensure!(server.is_running(), "the server has ended by itself");
        if !try_lock(&leases)? {
            wanted = Instant::now();
        } else if wanted.elapsed() > IDLE {
            break;
        } else {
            leases.unlock()?;
        }
    }
    // The lock on the leases is kept until the end: a new test waits, then starts a new keeper.
    run(sweep())?;
    server.stop()
}

/// A lease on the server, which is started if none runs.
pub(super) fn lease() -> anyhow::Result<File> {
    let lease = open("leases")?;
    lease.lock_shared()?;
    let deadline = Instant::now() + PATIENCE;
    let mut keeper: Option<Child> = None;
    while !accepts(&data()) {
        ensure!(
            Instant::now() < deadline,
            "no PostgreSQL after {PATIENCE:?}"
        );
        keeper = match keeper {
            None => Some(start()?),
            Some(mut keeper) => match keeper.try_wait()? {
                None => Some(keeper),
                Some(status) if status.success() => None,
                Some(_) => bail!(
                    "no PostgreSQL: see {}",
                    folder().join("keeper.log").display()
                ),
            },
        };
        thread::sleep(Duration::from_millis(20));
    }
    Ok(lease)
}

/// Says to a program that it is wanted as the keeper.
const ASKED: &str = "TESTS_KEEP_POSTGRES";

/// What a program calls first that is built without `postgres-for-tests` beside it: it may have
/// been started to be the keeper, and returns true once it is done.
pub fn keep_if_asked() -> anyhow::Result<bool> {
    let asked = platform::env::optional::<String>(ASKED)?.is_some();
    if asked {
        keep()?;
    }
    Ok(asked)
}

fn start() -> anyhow::Result<Child> {
    let program = program()?;
    let log = File::create(folder().join("keeper.log"))?;
    Command::new(&program)
        .env(ASKED, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        // Neither Ctrl-C nor the end of the first test's group is meant for the keeper.
        .process_group(0)
        .spawn()
        .with_context(|| format!("run {}", program.display()))
}

/// Cargo puts programs beside the tests (`deps/`) or one folder above them. The benchmarks are
/// their own keeper.
fn program() -> anyhow::Result<PathBuf> {
    let this = env::current_exe()?;
    if this.file_name().is_some_and(|it| it == "bench") {
        return Ok(this);
    }
    this.ancestors()
        .skip(1)
        .take(2)
        .map(|it| it.join("postgres-for-tests"))
        .find(|it| it.is_file())
        .context("postgres-for-tests is not built: cargo build -p tests --bins")
}

/// Drops the databases of killed tests; nobody else may hold a lease.
async fn sweep() -> anyhow::Result<()> {
    let mut conn = options("postgres")?.connect().await?;
    let names: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where starts_with(datname, $1)")
            .bind(PREFIX)
            .fetch_all(&mut conn)
            .await?;
    for name in names {
        drop_database(&name).await?;
    }
    Ok(())
}

fn try_lock(file: &File) -> anyhow::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
