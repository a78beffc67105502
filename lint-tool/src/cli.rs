//! The command line of both binaries.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bundle;
mod change;
mod check;

use self::check::Check;
use crate::baseline::command as baseline;
use crate::check::{Analysis, analyse, read, root_above, with_deep_stack};
use crate::error::Error;
use crate::graph::{self, GraphFormat};
use crate::rules::{self, RULES};
use crate::selector::Selector;
use crate::{diff, hint, revision, self_test, stats};

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
    /// Show the shortest way from one place to another.
    Why {
        /// A selector: `dcl-query`, `aam::db`, `functions/*`.
        from: String,
        /// A selector, also of another crate: `sqlx`, `std::env`.
        to: String,
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Count what only tests use, too.
        #[arg(long)]
        with_tests: bool,
    },
    /// Print which crate uses which.
    Graph {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Count what only tests use, too.
        #[arg(long)]
        with_tests: bool,
        #[arg(long, value_enum, default_value = "mermaid")]
        format: GraphFormat,
    },
    /// Write, shrink or rename what is known already.
    #[command(subcommand)]
    Baseline(baseline::Command),
    /// Check, then build each Lambda function into a zip that is the same for the same commit.
    ///
    /// A function is a binary of a member that depends on `lambda_runtime` or `lambda_http`, unless
    /// `[workspace.metadata.structure-lint.bundle] functions = [..]` names them.
    /// It needs cargo-lambda on `PATH` or in `.dev/wheels/`: `pip install cargo-lambda`.
    /// For another processor than this machine's it needs zig too: `pip install ziglang`.
    Bundle(bundle::Bundle),
    /// Show the edges that came and went since a git revision.
    Diff {
        /// A git revision: `main`, `HEAD~3`.
        base: String,
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Count what only tests use, too.
        #[arg(long)]
        with_tests: bool,
    },
    /// Fix what can be fixed without a doubt: SL003, SL004, SL005, SL024.
    Fix {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Say what would change, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write a first `structure-lint.toml`.
    Init {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Describe the workspace as it is, so that it passes.
        #[arg(long)]
        infer: bool,
    },
    /// Print how large each package is and how it is coupled.
    Stats {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Count what only tests use, too.
        #[arg(long)]
        with_tests: bool,
    },
    /// Plant a violation for each contract and rule, judge each accuracy case, and say what is wrong.
    SelfTest {
        /// The workspace; by default the nearest one above the current folder.
        path: Option<PathBuf>,
        /// Print every verdict, not only the wrong ones.
        #[arg(long)]
        table: bool,
    },
    /// List every rule with its level.
    ListRules,
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
    // A panic has printed itself by then; it is an internal error, not a finding.
    match std::panic::catch_unwind(|| execute(cli)) {
        Err(_) => ExitCode::from(3),
        Ok(Ok(code)) => code,
        Ok(Err(err)) => {
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
        Command::Check(options) => check::check(&options),
        Command::Explain { rule } => explain(&rule),
        Command::Why {
            from,
            to,
            path,
            with_tests,
        } => why(counted(analysis(path)?, with_tests), &from, &to),
        Command::Graph {
            path,
            with_tests,
            format,
        } => {
            let edges = counted(analysis(path)?, with_tests).edges;
            print(&graph::graph(&edges, format));
            Ok(ExitCode::SUCCESS)
        }
        Command::Baseline(it) => baseline::run(&root(it.path())?, &it),
        Command::Bundle(options) => bundle::run(options),
        Command::Diff {
            base,
            path,
            with_tests,
        } => diff(path, &base, with_tests),
        Command::Fix { path, dry_run } => change::fix(&root(path)?, dry_run),
        Command::Init { path, infer } => change::init(&root(path)?, infer),
        Command::Stats { path, with_tests } => {
            print(&stats::text(&counted(analysis(path)?, with_tests)));
            Ok(ExitCode::SUCCESS)
        }
        Command::SelfTest { path, table } => self_test(path, table),
        Command::ListRules => {
            print(&table());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn root(path: Option<PathBuf>) -> Result<PathBuf, Error> {
    let Some(path) = path else {
        return root_above(&std::env::current_dir().map_err(unreadable)?);
    };
    let full = path.canonicalize().map_err(|err| {
        let path = path.display();
        Error::Usage(format!(
            "cannot open `{path}`: {err}; name a folder or a `Cargo.toml`"
        ))
    })?;
    // A manifest stands for its folder, and a member for the workspace that it is checked with.
    let dir = if full.is_file() {
        full.parent()
    } else {
        Some(full.as_path())
    };
    match dir.filter(|it| it.join("Cargo.toml").is_file()) {
        Some(dir) => root_above(dir),
        None => Err(Error::Usage(format!(
            "0 files scanned: there is no `Cargo.toml` in `{}`; name the folder of a package",
            path.display()
        ))),
    }
}

fn analysis(path: Option<PathBuf>) -> Result<Analysis, Error> {
    let (files, _) = read(&root(path)?)?;
    with_deep_stack(0, || analyse(&files))?
}

/// The analysis without what only tests use, unless they count. Says what is left out.
fn counted(analysis: Analysis, with_tests: bool) -> Analysis {
    if with_tests {
        return analysis;
    }
    let all = analysis.edges.all.len();
    let edges = analysis.edges.without_tests();
    let left_out = all - edges.all.len();
    if left_out > 0 {
        eprintln!(
            "structure-lint: {left_out} uses by tests are left out, `--with-tests` counts them"
        );
    }
    Analysis { edges, ..analysis }
}

/// Exit 1 when there is no way.
fn why(analysis: Analysis, from: &str, to: &str) -> Result<ExitCode, Error> {
    let mut names = [from, to].into_iter();
    if let Some(message) = names.find_map(|it| hint::unknown(&analysis, it)) {
        return Err(Error::Usage(message));
    }
    match graph::why(
        &analysis.edges,
        &Selector::parse(from),
        &Selector::parse(to),
    ) {
        Some(chain) => {
            print(&graph::chain_text(&chain));
            Ok(ExitCode::SUCCESS)
        }
        None => {
            print(&format!("nothing leads from `{from}` to `{to}`\n"));
            Ok(ExitCode::from(1))
        }
    }
}

fn diff(path: Option<PathBuf>, base: &str, with_tests: bool) -> Result<ExitCode, Error> {
    let root = root(path)?;
    let (before, (after, _)) = (revision::read(&root, base)?, read(&root)?);
    let text = with_deep_stack(0, || {
        let (before, after) = (analyse(&before)?, analyse(&after)?);
        let after = counted(after, with_tests);
        let before = match with_tests {
            true => before.edges,
            false => before.edges.without_tests(),
        };
        Ok(diff::text(&before, &after.edges))
    })?;
    print(&text?);
    Ok(ExitCode::SUCCESS)
}

/// Exit 1 when a violation is not found.
fn self_test(path: Option<PathBuf>, table: bool) -> Result<ExitCode, Error> {
    let (files, config) = read(&root(path)?)?;
    let run = || self_test::run(&files, &config, change::today());
    let mut verdicts = with_deep_stack(0, run)??;
    let summary = self_test::summary(&verdicts);
    let is_good = verdicts.iter().all(|it| it.is_good());
    if !table {
        verdicts.retain(|it| !it.is_good());
    }
    if table || !is_good {
        print(&self_test::table(&verdicts));
    }
    print(&format!("structure-lint: {summary}\n"));
    Ok(ExitCode::from(u8::from(!is_good)))
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
        let mut level = format!("{:?}", it.level()).to_lowercase();
        if it.strict_level() != it.level() {
            level = format!("{level}; strict: {:?}", it.strict_level()).to_lowercase();
        }
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
