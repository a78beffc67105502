//! A server process that ends when its starter ends, even one ended by `kill -9`.
//!
//! The server's shell keeps a watcher that reads a pipe whose writing end only the starter holds.
//! When that end closes, for whatever reason, the watcher interrupts the server.
//!
//! **Invariant:** nothing here needs unsafe code, a signal handler or a thread of the starter.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Leaves a watcher behind, then becomes the server itself, so that the process id stays.
/// The second fork gives the watcher to init: a server is puzzled by a child it has not made.
const SCRIPT: &str = r#"
exec 3<&0 </dev/null
( ( read -r _ <&3; kill -INT $$ ) >/dev/null 2>&1 & )
exec 3<&-
exec "$@"
"#;

/// How long a server may take to shut down before it is killed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; dropping it stops the server.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts `program`; `set_up` adds arguments, the working directory and where output goes.
    pub fn start(program: &OsStr, set_up: impl FnOnce(&mut Command)) -> io::Result<Process> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "lifeline"]).arg(program);
        set_up(&mut command);
        command
            .stdin(Stdio::piped())
            // A group of its own: Ctrl-C reaches the starter alone, which then stops us in order.
            .process_group(0)
            .spawn()
            .map(Process)
    }

    /// The process id of the server.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The exit status if the server has ended.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Interrupts the server and waits until it has ended.
    pub fn stop(&mut self) -> io::Result<ExitStatus> {
        drop(self.0.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.0.kill()?;
        self.0.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, pid = self.id(), "a server could not be stopped");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const INTERRUPT: i32 = 2;

    fn start(program: &str, argument: &str) -> Process {
        let set_up = |command: &mut Command| {
            command.args(argument.split('|'));
        };
        Process::start(program.as_ref(), set_up).unwrap()
    }

    #[test]
    fn a_server_is_interrupted_when_its_starter_lets_go() {
        let mut process = start("sleep", "1000");
        assert_eq!(process.ended().unwrap(), None);
        assert_eq!(process.stop().unwrap().signal(), Some(INTERRUPT));
    }

    #[test]
    fn a_server_that_ends_by_itself_is_seen_to_end() {
        let mut process = start("sh", "-c|exit 3");
        while process.ended().unwrap().is_none() {
            thread::yield_now();
        }
        assert_eq!(process.stop().unwrap().code(), Some(3));
    }
}
