//! A PostgreSQL whose disk can be filled: its data lies on a file system in memory, of a size of its
//! own, which only its processes see. That takes user namespaces, and no root.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use local::child_process::Process;
use local::postgres::Binaries;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Enough for a new database, the platform's tables and some records.
const SIZE: &str = "96m";

/// How long the server may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// Becomes the init of a server's namespace: makes the disk and the data, and starts the server
/// again whenever it has ended, as a supervisor would.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size="$SIZE",mode=0700 none "$FOLDER/data"
as="unshare -U --map-user=1000 --map-group=1000 --"
$as "$BIN/initdb" -D "$FOLDER/data/pg" -U postgres -A trust --no-sync --wal-segsize=1 >&2
trap 'ended=yes; kill -INT $server' INT
set +e # A server that ends with an error is started again.
while [ -z "$ended" ]; do
  $as "$BIN/postgres" -D "$FOLDER/data/pg" -c listen_addresses= -c unix_socket_directories="$FOLDER" \
    -c fsync=off -c max_wal_size=2MB -c min_wal_size=2MB &
  server=$!
  wait $server
done
wait $server
"#;

/// A running server; dropping it ends the server and forgets its data.
#[derive(Debug)]
pub struct SmallDisk {
    process: Process,
    folder: PathBuf,
}

impl SmallDisk {
    /// Starts one and waits until it answers. None where this machine allows no user namespaces.
    pub async fn start() -> Option<SmallDisk> {
        let allowed = Command::new("unshare")
            .args(["-U", "-r", "-m", "mount", "-t", "tmpfs", "none", "/mnt"])
            .output()
            .is_ok_and(|it| it.status.success());
        if !allowed {
            return None;
        }
        Some(
            SmallDisk::make()
                .await
                .unwrap_or_else(|error| panic!("{error:#}")),
        )
    }

    async fn make() -> anyhow::Result<SmallDisk> {
        let name = format!("disk-{}", uuid::Uuid::now_v7().simple());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("data"))?;
        let set = std::env::var_os("PG_BIN").map(PathBuf::from);
        let binaries = Binaries::find(set.as_deref(), &crate::dev(), &mut |it| eprintln!("{it}"))?;
        let log = File::create(folder.join("log"))?;
        let process = Process::start("unshare".as_ref(), |command| {
            command.args(["-U", "-r", "-m", "sh", "-c", SCRIPT]);
            command.env("SIZE", SIZE).env("FOLDER", &folder);
            command.env("BIN", binaries.folder());
            command.stdout(File::create("/dev/null").expect("it is there"));
            command.stderr(log);
        })?;
        let mut disk = SmallDisk { process, folder };
        let end = Instant::now() + PATIENCE;
        while platform::db::roles::connect(&disk.options()).await.is_err() {
            let log = fs::read_to_string(disk.folder.join("log")).unwrap_or_default();
            ensure!(disk.process.ended()?.is_none(), "it ended: {log}");
            ensure!(Instant::now() < end, "it does not answer: {log}");
        }
        Ok(disk)
    }

    /// How to connect to it as its superuser.
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.folder)
            .username("postgres")
            .database("postgres")
            .ssl_mode(PgSslMode::Disable)
    }

    /// Fills the disk up to its last byte.
    ///
    /// # Errors
    /// Where the disk is out of reach.
    pub fn fill(&self) -> anyhow::Result<()> {
        let path = self.ballast();
        let file = File::options().append(true).create(true).open(&path);
        let mut file = file.with_context(|| format!("open {}", path.display()))?;
        for size in [1 << 20, 4096, 1] {
            let zeros = vec![0; size];
            while file.write(&zeros).is_ok_and(|written| written > 0) {}
        }
        Ok(())
    }

    /// Frees what [`SmallDisk::fill`] has filled.
    ///
    /// # Errors
    /// Where nothing was filled.
    pub fn free(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    /// On the disk, as seen by the server's processes.
    fn ballast(&self) -> PathBuf {
        let inside = self.folder.join("data/ballast");
        let inside = inside.strip_prefix("/").unwrap_or(&inside).to_owned();
        Path::new("/proc")
            .join(self.process.id().to_string())
            .join("root")
            .join(inside)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.process.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
