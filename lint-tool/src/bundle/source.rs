//! What a bundle is made of: the commit and the toolchain.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::Plan;
use super::tools::{self, Tools};
use crate::error::Error;

/// The sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// None outside of a git repository.
    pub commit: Option<String>,
    /// Whether files differ from the commit, so that nobody else can make the same bundle.
    pub dirty: bool,
}

/// The programs and settings that the bytes depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Toolchain {
    pub rustc: String,
    pub cargo_lambda: String,
    pub zig: Option<String>,
    pub target: String,
    pub profile: String,
}

impl Source {
    /// The commit at `root`; an earlier bundle in `out` is no change.
    pub(super) fn of(root: &Path, out: &Path) -> Result<Source, Error> {
        let Ok(commit) = git(root, &["rev-parse", "--verify", "--quiet", "HEAD"]) else {
            return Ok(Source {
                commit: None,
                dirty: true,
            });
        };
        let inside = out.strip_prefix(root).ok();
        let bundles = inside.map(|it| {
            let it = it.display();
            [format!(":(exclude){it}"), format!(":(exclude){it}.new")]
        });
        let mut args = vec!["status", "--porcelain", "--", "."];
        args.extend(bundles.iter().flatten().map(String::as_str));
        Ok(Source {
            commit: Some(commit.trim().to_owned()),
            dirty: !git(root, &args)?.is_empty(),
        })
    }
}

/// The versions of what builds.
pub(super) fn toolchain(tools: &Tools, plan: &Plan) -> Result<Toolchain, Error> {
    let version = |program: &Path, args: &[&str]| -> Result<String, Error> {
        let text = tools::output(Command::new(program).current_dir(plan.root).args(args))?;
        Ok(text.trim().to_owned())
    };
    let zig = tools.zig.as_deref().map(|it| version(it, &["version"]));
    Ok(Toolchain {
        rustc: version(Path::new("rustc"), &["--version"])?,
        cargo_lambda: version(&tools.cargo_lambda, &["lambda", "--version"])?,
        zig: zig.transpose()?,
        target: plan.arch.target().to_owned(),
        profile: plan.profile.name().to_owned(),
    })
}

fn git(root: &Path, args: &[&str]) -> Result<String, Error> {
    tools::output(Command::new("git").arg("-C").arg(root).args(args))
}
