//! The command line of both binaries.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::engine;
use crate::error::Error;
use crate::render::{Format, render};
use crate::rules::{self, RULES};

/// Checks the structure of a Rust workspace: who may use whom, and where things live.
#[derive(Debug, Parser)]
#[command(
    name = "structure-lint",
    version,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    check: Check,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the workspace (the default).
    Check(Check),
    /// Say what a rule is about, with examples.
    Explain {
        /// A code or a name: `SL011`, `independence`.
        rule: String,
    },
    /// List every rule with its level.
    ListRules,
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The workspace; by default the nearest one above the current folder.
    path: Option<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Fail on warnings too.
    #[arg(long)]
    deny_warnings: bool,
}

/// Runs the command line. Exit 0: clean, 1: findings, 2: usage or configuration, 3: unreadable input.
pub fn run(args: impl IntoIterator<Item = String>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(err) => {
            let _ = err.print();
            return ExitCode::from(if err.use_stderr() { 2 } else { 0 });
        }
    };
    match execute(cli) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("structure-lint: {err}");
            ExitCode::from(match err {
                Error::Usage(_) => 2,
                Error::Unreadable(_) => 3,
            })
        }
    }
}

fn execute(cli: Cli) -> Result<ExitCode, Error> {
    match cli.command.unwrap_or(Command::Check(cli.check)) {
        Command::Check(options) => check(&options),
        Command::Explain { rule } => explain(&rule),
        Command::ListRules => {
            print(&table());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(options: &Check) -> Result<ExitCode, Error> {
    let root = match &options.path {
        Some(path) => path.clone(),
        None => engine::root_above(&std::env::current_dir().map_err(unreadable)?)?,
    };
    let (report, deny_warnings) = engine::check(&root)?;
    print(&render(&report, options.format));
    let clean = report.is_clean(options.deny_warnings || deny_warnings);
    Ok(ExitCode::from(u8::from(!clean)))
}

fn explain(name: &str) -> Result<ExitCode, Error> {
    let rule = rules::find(name).ok_or_else(|| {
        Error::Usage(format!(
            "no rule is called `{name}`; `structure-lint list-rules` shows them all"
        ))
    })?;
    print(&format!(
        "# {} {}\n\n{}\n",
        rule.code(),
        rule.name(),
        rule.explain()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The rules as a Markdown table, as the README has it.
pub fn table() -> String {
    let rows = RULES.iter().map(|it| {
        let level = format!("{:?}", it.level()).to_lowercase();
        let summary = it.explain().lines().next().unwrap_or_default();
        let summary = summary.trim_end_matches('.');
        format!("| {} | {} | {level} | {summary} |\n", it.code(), it.name())
    });
    format!(
        "| code | name | level | finds |\n|---|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

/// Prints without a panic when the reader has gone (`structure-lint | head`).
fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn unreadable(err: std::io::Error) -> Error {
    Error::Unreadable(format!("no current folder: {err}"))
}
