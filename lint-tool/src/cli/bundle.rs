//! `bundle` and `bundle verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;

use super::{print, unreadable};
use crate::bundle::{self, Arch, Plan, Profile};
use crate::cache::Cache;
use crate::check::{self, Options};
use crate::error::Error;
use crate::render::{Format, render};
use crate::timing::Timing;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Bundle {
    #[command(subcommand)]
    command: Option<Command>,
    /// The workspace; by default the nearest one above the current folder.
    path: Option<PathBuf>,
    /// The processor that the functions run on.
    #[arg(long, value_enum, default_value = "arm64")]
    arch: Arch,
    /// The bundle's folder, in place of an earlier bundle; by default `target/bundle` of the workspace.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The Cargo profile to build with, as the root manifest has it.
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove that a bundle is what its manifest says. Exit 1 with each difference.
    Verify {
        /// The folder with `bundle.json`.
        dir: PathBuf,
    },
}

pub(super) fn run(options: Bundle) -> Result<ExitCode, Error> {
    match &options.command {
        Some(Command::Verify { dir }) => verify(dir),
        None => build(options),
    }
}

/// Exit 1, and no bundle, on a finding.
fn build(options: Bundle) -> Result<ExitCode, Error> {
    let root = super::root(options.path)?;
    let root = root.canonicalize().map_err(unreadable)?;
    let check = Options {
        cache: Cache::of(&root),
        threads: 0,
    };
    let (report, deny_warnings) = check::check_with(&root, &check, &Timing::default())?;
    if !report.is_clean(deny_warnings) {
        print(&render(&report, Format::Human));
        eprintln!("structure-lint: not bundled: fix the findings first");
        return Ok(ExitCode::from(1));
    }
    let out = match options.out {
        Some(dir) => std::path::absolute(dir).map_err(unreadable)?,
        None => root.join("target/bundle"),
    };
    let plan = Plan {
        root: &root,
        out: &out,
        arch: options.arch,
        profile: Profile::new(options.profile),
    };
    let bundle = bundle::bundle(&plan, &report)?;
    for it in &bundle.functions {
        print(&format!(
            "{}  {:>9}  {}\n",
            it.zip.sha256, it.zip.size, it.zip.file
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(dir: &Path) -> Result<ExitCode, Error> {
    let (differences, functions) = bundle::verify(dir)?;
    for it in &differences {
        print(&format!("{it}\n"));
    }
    let dir = dir.display();
    let verdict = match differences.len() {
        0 if functions == 1 => format!("`{dir}` is what its manifest says: 1 function"),
        0 => format!("`{dir}` is what its manifest says: {functions} functions"),
        1 => format!("`{dir}` differs from its manifest"),
        count => format!("`{dir}` differs from its manifest in {count} places"),
    };
    print(&format!("structure-lint: {verdict}\n"));
    Ok(ExitCode::from(u8::from(!differences.is_empty())))
}
