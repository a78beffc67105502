//! MiniStack, an AWS on this machine: one process, and one more for each function that runs.
//!
//! Unlike AWS it
//! - takes at most ten messages into a batch of events, however large the template wants it;
//! - gives every client the address 127.0.0.1;
//! - deletes nothing that it cannot delete: the folder of a test is removed as a whole.
//!
//! It evaluates IAM policies: a function that its role lets do too little fails here too.
//!
//! **Invariant:** it listens on loopback only, and nothing of it outlives its test.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use local::child_process::Process;
use local::wheel::Wheels;
use uuid::Uuid;

use crate::wait::until;

const WHEELS: Wheels = Wheels {
    name: "ministack",
    version: "1.5.33",
    requirements: include_str!("requirements.txt"),
};
const LAUNCHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/launch.py");

/// A running MiniStack; dropping it ends it and every function.
pub(crate) struct MiniStack {
    pub(crate) endpoint: String,
    process: Option<Process>,
    folder: PathBuf,
}

impl MiniStack {
    pub(crate) async fn start() -> anyhow::Result<MiniStack> {
        let python = tokio::task::spawn_blocking(|| {
            WHEELS.install(&tests::dev(), &mut |it| eprintln!("{it}"))
        });
        let python = python.await??;
        let folder = std::env::temp_dir().join(format!("ministack-{}", Uuid::now_v7().simple()));
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = Some(spawn(&python, &folder, port)?);
        let stack = MiniStack {
            endpoint,
            process,
            folder,
        };
        let ready = format!("{}/_ministack/ready", stack.endpoint);
        until("MiniStack", async || reqwest::get(&ready).await.ok()).await;
        Ok(stack)
    }

    /// The processes of a function, by the end of its name.
    pub(crate) fn processes(&self, function: &str) -> Vec<u32> {
        let is_named = |pid: &u32| {
            let name = variable(*pid, "AWS_LAMBDA_FUNCTION_NAME");
            name.is_some_and(|it| it.ends_with(function))
        };
        self.functions().into_iter().filter(is_named).collect()
    }

    /// Every process that runs a program out of this MiniStack's folder.
    fn functions(&self) -> Vec<u32> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
        ids.filter(|pid: &u32| {
            fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|it| it.starts_with(&self.folder))
        })
        .collect()
    }

    /// Ends it in order, and says what was left to be killed.
    fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        process.stop()?;
        // A function ends when nobody hands it events any more.
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.functions().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let left = self.functions();
        for pid in &left {
            kill(*pid)?;
        }
        ensure!(left.is_empty(), "functions had to be killed: {left:?}");
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        let stopped = self.stop();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        let _ = fs::remove_dir_all(&self.folder);
        if let Err(error) = stopped {
            eprintln!("MiniStack did not end in order: {error:#}");
        }
    }
}

/// A variable of a process's environment.
pub(crate) fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = fs::read_to_string(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split('\0').filter_map(|it| it.split_once('='));
    Some(variables.find(|(it, _)| *it == name)?.1.to_owned())
}

/// Kills a process as a failing machine does.
pub(crate) fn kill(pid: u32) -> anyhow::Result<()> {
    let status = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()?;
    ensure!(status.success(), "process {pid} could not be killed");
    Ok(())
}

fn spawn(python: &Path, folder: &Path, port: u16) -> anyhow::Result<Process> {
    let log = File::create(folder.join("log"))?;
    let errors = log.try_clone()?;
    let endpoint = format!("http://127.0.0.1:{port}");
    Process::start("python3".as_ref(), |command| {
        command.arg(LAUNCHER).current_dir(folder);
        command.env_clear().envs(inherited());
        command.env("PYTHONPATH", python).env("TMPDIR", folder);
        command.env("STATE_DIR", folder.join("state"));
        command.env("BIND_HOST", "127.0.0.1");
        command.env("GATEWAY_PORT", port.to_string());
        // Functions find AWS here.
        command.env("AWS_ENDPOINT_URL", endpoint);
        command.env("AUTH", "true");
        // Doors of its own that would be open to everybody, and containers of somebody else.
        command
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0");
        command.env("DOCKER_HOST", "unix:///nowhere");
        command.stdout(log).stderr(errors);
    })
    .context("run python3")
}

/// What a program needs to run at all. All else of a developer's environment would reach the
/// functions, `DATABASE_URL` and `AWS_PROFILE` among it.
pub(crate) fn inherited() -> impl Iterator<Item = (&'static str, String)> {
    ["PATH", "HOME", "LANG"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
}
