//! The programs that build, and how they are asked.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::build::Arch;
use crate::error::Error;

/// Where the builders are.
#[derive(Debug)]
pub(super) struct Tools {
    pub cargo_lambda: PathBuf,
    /// Only for a target that this machine's linker does not know; none if Python has it.
    pub zig: Option<PathBuf>,
}

/// Finds what a build for `arch` takes: on `PATH`, else in `.dev/wheels/` of the workspace.
pub(super) fn find(root: &Path, arch: Arch) -> Result<Tools, Error> {
    let cargo_lambda = program(root, "cargo-lambda", "bin").ok_or_else(|| {
        let install = "pip install cargo-lambda";
        let message =
            format!("cargo-lambda is not installed: it builds the functions; `{install}`");
        Error::Usage(message)
    })?;
    let mut tools = Tools {
        cargo_lambda,
        zig: None,
    };
    if !arch.is_native() {
        tools.zig = program(root, "zig", "ziglang");
        if tools.zig.is_none() && !python_has_zig() {
            let message = format!(
                "zig is not installed: it links for {} on this machine; `pip install ziglang`",
                arch.as_lambda_says()
            );
            return Err(Error::Usage(message));
        }
    }
    Ok(tools)
}

/// `name` on `PATH`, else in the folder `inner` of a wheel in `.dev/wheels/`, the last by name.
fn program(root: &Path, name: &str, inner: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|it| it.join(name));
    let wheels = std::fs::read_dir(root.join(".dev/wheels")).into_iter();
    let wheels = wheels.flatten().flatten();
    let mut installed: Vec<PathBuf> = wheels.map(|it| it.path().join(inner).join(name)).collect();
    installed.sort();
    on_path
        .chain(installed.into_iter().rev())
        .find(|it| it.is_file())
}

fn python_has_zig() -> bool {
    let mut python = Command::new("python3");
    python.args(["-m", "ziglang", "version"]);
    output(&mut python).is_ok()
}

/// The Cargo that started this program, else the one on `PATH`.
pub(super) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// What a program prints, unless it fails.
pub(super) fn output(command: &mut Command) -> Result<String, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|err| Error::Unreadable(format!("cannot run `{name}`: {err}")))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Unreadable(format!(
            "`{name}` fails: {}",
            reason.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
