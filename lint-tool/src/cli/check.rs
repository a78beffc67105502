//! `check`: what it reads, how it speaks, how it ends.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::ValueEnum as _;

use crate::cache::Cache;
use crate::check::{self, Options};
use crate::error::Error;
use crate::render::{Format, render};
use crate::timing::Timing;

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The workspace; by default the nearest one above the current folder.
    path: Option<PathBuf>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "human", conflicts_with = "output")]
    format: Format,
    /// A format, and a file that takes it; may be given several times.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    output: Vec<Output>,
    /// Fail on warnings too.
    #[arg(long)]
    deny_warnings: bool,
    /// Fail on any path that cannot be resolved.
    #[arg(long)]
    strict_unresolved: bool,
    /// Read and parse everything anew.
    #[arg(long)]
    no_cache: bool,
    /// How many threads read and parse; 0 is as many as there are processors.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Say on the error stream how long each phase and rule took.
    #[arg(long)]
    timing: bool,
}

/// `sarif=out.sarif`, or `github` for the standard output.
#[derive(Debug, Clone)]
struct Output {
    format: Format,
    file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        let (format, file) = text
            .split_once('=')
            .map_or((text, None), |(format, file)| (format, Some(file.into())));
        let format = Format::from_str(format, false).map_err(|_| {
            let known = Format::value_variants().iter();
            let known = known.filter_map(|it| Some(it.to_possible_value()?.get_name().to_owned()));
            let known: Vec<String> = known.collect();
            format!("no format `{format}`: there are {}", known.join(", "))
        })?;
        Ok(Output { format, file })
    }
}

/// Exit 1 on findings.
pub(super) fn check(options: &Check) -> Result<ExitCode, Error> {
    let outputs = outputs(options)?;
    let root = super::root(options.path.clone())?;
    let cache = if options.no_cache {
        Cache::none()
    } else {
        Cache::of(&root)
    };
    let (threads, timing) = (options.threads, Timing::default());
    let found = check::check_with(&root, &Options { cache, threads }, &timing)?;
    let (mut report, deny_warnings) = found;
    if options.strict_unresolved {
        report = report.strict_unresolved();
    }
    for Output { format, file } in &outputs {
        let text = timing.phase("render", || render(&report, *format));
        match file {
            None => super::print(&text),
            Some(file) => std::fs::write(file, text).map_err(|err| {
                Error::Unreadable(format!("cannot write `{}`: {err}", file.display()))
            })?,
        }
    }
    if options.timing {
        eprint!("{}", timing.text());
    }
    let clean = report.is_clean(options.deny_warnings || deny_warnings);
    Ok(ExitCode::from(u8::from(!clean)))
}

fn outputs(options: &Check) -> Result<Vec<Output>, Error> {
    if options.output.is_empty() {
        let format = options.format;
        return Ok(vec![Output { format, file: None }]);
    }
    let printed = options.output.iter().filter(|it| it.file.is_none()).count();
    if printed > 1 {
        let message = "two formats would mix on the standard output: write `--output FORMAT=FILE`";
        return Err(Error::Usage(message.into()));
    }
    Ok(options.output.clone())
}
