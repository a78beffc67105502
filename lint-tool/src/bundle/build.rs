//! The build itself, by cargo-lambda, with everything said that the bytes depend on.
//!
//! **Invariant:** the profile is what the workspace's manifest says: cargo-lambda's own defaults
//! (`panic = "abort"`, a processor of its choice) are off.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use super::Plan;
use super::elf;
use super::functions::Function;
use super::metadata::Metadata;
use super::tools::{self, Tools};
use crate::error::Error;

/// The processors that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    /// Graviton
    #[value(name = "arm64")]
    Arm64,
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
}

impl Arch {
    /// The target as rustc calls it.
    pub fn target(self) -> &'static str {
        match self {
            Arch::Arm64 => "aarch64-unknown-linux-gnu",
            Arch::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }

    /// The architecture as Lambda and SAM call it.
    pub fn as_lambda_says(self) -> &'static str {
        match self {
            Arch::Arm64 => "arm64",
            Arch::X86_64 => "x86_64",
        }
    }

    /// Whether this machine's own linker can link for it.
    pub(super) fn is_native(self) -> bool {
        let processor = self.target().split('-').next();
        std::env::consts::OS == "linux" && processor == Some(std::env::consts::ARCH)
    }
}

/// The name of a Cargo profile.
#[derive(Debug, Clone)]
pub struct Profile(String);

impl Profile {
    /// The profile that is called `name`.
    pub fn new(name: String) -> Profile {
        Profile(name)
    }

    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Builds the functions; the result has a folder for each with its `bootstrap`.
pub(super) fn build(
    plan: &Plan,
    tools: &Tools,
    metadata: &Metadata,
    functions: &[Function],
) -> Result<PathBuf, Error> {
    let built = metadata.target_directory.join("bundle-build");
    // What an earlier build left must not pass for a result of this one.
    let _ = fs::remove_dir_all(&built);
    let mut command = Command::new(&tools.cargo_lambda);
    command.current_dir(plan.root);
    command.args(["lambda", "build", "--locked", "--disable-optimizations"]);
    command.args(["--profile", plan.profile.name(), "--lambda-dir"]);
    command.arg(&built);
    command.arg(match plan.arch {
        Arch::Arm64 => "--arm64",
        Arch::X86_64 => "--x86-64",
    });
    if plan.arch.is_native() {
        command.args(["--compiler", "cargo"]);
    }
    if let Some(zig) = &tools.zig {
        command.env("CARGO_ZIGBUILD_ZIG_PATH", zig);
    }
    for function in functions {
        command.args(["--package", &function.package, "--bin", &function.name]);
    }
    set_flags(&mut command, &remappings(plan.root, metadata)?);
    let status = command.status();
    let status =
        status.map_err(|err| Error::Unreadable(format!("cannot run cargo-lambda: {err}")))?;
    if !status.success() {
        return Err(Error::Unreadable(
            "cargo-lambda could not build the functions".to_owned(),
        ));
    }
    for function in functions {
        let binary = super::read(&built.join(&function.name).join(super::archive::ENTRY))?;
        elf::check(&binary, plan.arch)
            .map_err(|err| Error::Unreadable(format!("`{}` {err}", function.name)))?;
    }
    Ok(built)
}

/// Replaces the places of this machine, so that another one makes the same bytes. The last one wins.
fn remappings(root: &Path, metadata: &Metadata) -> Result<Vec<String>, Error> {
    let rustc = |args: &[&str]| tools::output(Command::new("rustc").current_dir(root).args(args));
    let version = rustc(&["-vV"])?;
    let commit = version
        .lines()
        .find_map(|it| it.strip_prefix("commit-hash: "));
    let library = Path::new(rustc(&["--print", "sysroot"])?.trim()).join("lib/rustlib/src/rust");
    let places = [
        (metadata.workspace_root.clone(), "/workspace".to_owned()),
        (metadata.target_directory.clone(), "/target".to_owned()),
        (cargo_home(), "/cargo".to_owned()),
        (library, format!("/rustc/{}", commit.unwrap_or("unknown"))),
    ];
    let flags = places
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    Ok(flags.collect())
}

fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Adds flags to those that are there. A configuration file's are kept only if no variable is set,
/// as Cargo reads just one of these places.
fn set_flags(command: &mut Command, flags: &[String]) {
    let (encoded, plain) = (
        std::env::var("CARGO_ENCODED_RUSTFLAGS"),
        std::env::var("RUSTFLAGS"),
    );
    match environment(encoded.ok(), plain.ok(), flags) {
        Some(all) => {
            command.env("CARGO_ENCODED_RUSTFLAGS", all);
        }
        None => {
            let list = flags.iter().map(|it| format!("{it:?}"));
            let list = list.collect::<Vec<_>>().join(",");
            command.args([
                OsStr::new("--config"),
                format!("build.rustflags=[{list}]").as_ref(),
            ]);
        }
    }
}

/// The variable that holds the flags of the environment and `flags`; none if there are none there.
fn environment(encoded: Option<String>, plain: Option<String>, flags: &[String]) -> Option<String> {
    let encoded = encoded.filter(|it| !it.is_empty());
    let plain = plain.filter(|it| !it.trim().is_empty());
    let known =
        encoded.or(plain.map(|it| it.split_whitespace().collect::<Vec<_>>().join("\x1f")))?;
    let all = [known].into_iter().chain(flags.iter().cloned());
    Some(all.collect::<Vec<_>>().join("\x1f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_environment_are_kept() {
        let check = |encoded: &str, plain: &str| {
            let given = |it: &str| Some(it.to_owned());
            let flags = environment(given(encoded), given(plain), &["--more=a b".to_owned()]);
            flags.map(|it| it.replace('\x1f', "|"))
        };
        assert_eq!(check("", " "), None);
        assert_eq!(
            check("", "-D warnings"),
            Some("-D|warnings|--more=a b".to_owned())
        );
        assert_eq!(
            check("-C|x=1 2", "-D warnings"),
            Some("-C|x=1 2|--more=a b".to_owned())
        );
    }
}
