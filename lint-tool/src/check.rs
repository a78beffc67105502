//! A check from files to findings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::cache::{self, Cache, FactCache};
use crate::config::{self, Config};
use crate::date::Date;
use crate::diagnostic::{Diagnostic, Level, Note};
use crate::edges::{Edges, Spot};
use crate::error::Error;
use crate::files::SourceFiles;
use crate::ignores;
use crate::manifest::Manifest;
use crate::models::Models;
use crate::modules::Modules;
use crate::rules::edge_report::grouped;
use crate::rules::{RULES, unresolved};
use crate::timing::Timing;
use crate::workspace::Workspace;

/// Everything that a rule may look at.
pub struct Context<'a> {
    pub files: &'a SourceFiles,
    pub config: &'a Config,
    pub workspace: &'a Workspace,
    pub modules: &'a Modules,
    pub edges: &'a Edges,
    pub models: &'a Models,
}

/// What a check found, sorted.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub diagnostics: Vec<Diagnostic>,
    pub crates: usize,
    pub files: usize,
    pub paths: usize,
    /// Paths whose beginning could not be resolved.
    pub unresolved: usize,
    /// The first of these paths.
    pub unknown: Vec<Note>,
    /// What follows from a finding above. A baseline counts it, or it would be new once that is known.
    #[serde(skip)]
    pub following: Vec<Diagnostic>,
    /// Findings that the baseline knows.
    pub baselined: usize,
    /// Findings that an ignore or exception with a reason covers.
    pub excused: usize,
    /// Source lines that findings point at, so that a report can be printed without the files.
    #[serde(skip)]
    pub lines: BTreeMap<(String, u32), Line>,
}

/// One line of a source file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Line {
    pub text: String,
    /// How many bytes of the file stand before it.
    pub start: usize,
}

impl Report {
    /// How many findings have a level.
    pub fn count(&self, level: Level) -> usize {
        self.diagnostics
            .iter()
            .filter(|it| it.level == level)
            .count()
    }

    /// Whether the check fails.
    pub fn is_clean(&self, deny_warnings: bool) -> bool {
        self.count(Level::Error) == 0 && (!deny_warnings || self.diagnostics.is_empty())
    }

    /// Stale entries of the baseline are errors where nobody can fix them at once.
    pub fn in_ci(mut self, config: &Config) -> Report {
        if config.rule("SL905").level.is_none() {
            let stale = self.diagnostics.iter_mut().filter(|it| it.code == "SL905");
            stale.for_each(|it| it.level = Level::Error);
        }
        self
    }

    /// Any path that leads nowhere is an error.
    pub fn strict_unresolved(mut self) -> Report {
        self.diagnostics.retain(|it| it.code != "SL906");
        if self.unresolved > 0 {
            let finding = unresolved::finding(self.unresolved, self.paths, &self.unknown);
            self.diagnostics.push(finding);
            self.diagnostics.sort();
        }
        self
    }
}

/// Reads the workspace at `root` with its `structure-lint.toml` and runs every rule. The flag says
/// whether the configuration denies warnings.
pub fn check(root: &Path) -> Result<(Report, bool), Error> {
    check_with(root, &Options::default(), &Timing::default())
}

/// How a check works; nothing here changes what it finds.
#[derive(Debug, Default)]
pub struct Options {
    pub cache: Cache,
    /// How many threads read and parse; 0 is as many as there are processors.
    pub threads: usize,
}

/// [`check`] with a cache, and with the time that each phase took.
pub fn check_with(
    root: &Path,
    options: &Options,
    timing: &Timing,
) -> Result<(Report, bool), Error> {
    let (files, config) = timing.phase("read files", || read(root))?;
    let today = Date::of(std::time::SystemTime::now());
    let key = timing.phase("hash files", || cache::key(&files, today));
    let known = timing.phase("look for the same files", || options.cache.report(key));
    let report = match known {
        Some(report) => report,
        None => {
            let work = || check_files_with(&files, &config, today, &options.cache, timing);
            let report = with_deep_stack(options.threads, work)??;
            options.cache.keep_report(key, report)
        }
    };
    // Not in the cache, which another environment may share.
    let report = if is_ci() {
        report.in_ci(&config)
    } else {
        report
    };
    Ok((report, config.deny_warnings))
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|it| it == "true" || it == "1")
}

/// The workspace that a folder belongs to: the nearest package above, or the workspace that lists it.
pub fn root_above(dir: &Path) -> Result<PathBuf, Error> {
    let read = |dir: &Path| std::fs::read_to_string(dir.join("Cargo.toml")).ok();
    let mut above = dir.ancestors().filter_map(|dir| Some((dir, read(dir)?)));
    let (package, text) = above.next().ok_or_else(|| {
        let message =
            "0 files scanned: there is no `Cargo.toml` here or above; run it in a workspace";
        Error::Usage(message.into())
    })?;
    let is_root = Manifest::parse("Cargo.toml", &text).is_ok_and(|it| it.workspace.is_some());
    let mut listing = above.filter(|(root, text)| {
        let dir = package
            .strip_prefix(root)
            .map(|it| it.to_string_lossy().replace('\\', "/"));
        let manifest = Manifest::parse("Cargo.toml", text).ok();
        let table = manifest.and_then(|it| it.workspace);
        dir.is_ok_and(|dir| table.is_some_and(|it| it.lists(&dir)))
    });
    let root = if is_root { None } else { listing.next() };
    Ok(root.map_or(package, |(root, _)| root).to_path_buf())
}

/// Reads the files and the configuration at `root`.
pub fn read(root: &Path) -> Result<(SourceFiles, Config), Error> {
    let files = SourceFiles::read(root).map_err(|err| Error::Unreadable(format!("{err:#}")))?;
    let said = [config::FILE_NAME, crate::baseline::FILE_NAME];
    if let Some((file, reason)) = files.unreadable().find(|(it, _)| said.contains(it)) {
        let message = format!("cannot read `{file}`: {reason}");
        return Err(Error::Unreadable(message));
    }
    let text = files.get(config::FILE_NAME).unwrap_or_default();
    let config = Config::parse(text).map_err(|err| Error::Usage(format!("{err:#}")))?;
    Ok((files, config))
}

/// Runs every rule on files that are read already.
pub fn check_files(files: &SourceFiles, config: &Config, today: Date) -> Result<Report, Error> {
    check_files_with(files, config, today, &Cache::none(), &Timing::default())
}

fn check_files_with(
    files: &SourceFiles,
    config: &Config,
    today: Date,
    cache: &Cache,
    timing: &Timing,
) -> Result<Report, Error> {
    let facts = timing.phase("open the facts", || cache.facts());
    let Analysis {
        workspace,
        modules,
        edges,
    } = analyse_with(files, &facts, timing)?;
    let models = timing.phase("models", || Models::collect(files, &workspace, &modules));
    let cx = Context {
        files,
        config,
        workspace: &workspace,
        modules: &modules,
        edges: &edges,
        models: &models,
    };
    let baseline = Baseline::of(files).map_err(|err| Error::Usage(format!("{err:#}")))?;
    let (diagnostics, excused) = run(&cx, today, timing);
    let (mut diagnostics, baselined) = baseline.apply(files, diagnostics);
    set_levels(config, &mut diagnostics);
    let (diagnostics, following) = grouped(diagnostics);
    Ok(Report {
        lines: source_lines(files, &diagnostics),
        diagnostics,
        following,
        crates: workspace.packages.len(),
        files: modules.facts.len(),
        paths: edges.paths,
        unresolved: edges.unresolved.len(),
        unknown: edges
            .unresolved
            .iter()
            .take(unresolved::SHOWN)
            .cloned()
            .collect(),
        baselined,
        excused,
    })
}

/// What is known of a workspace before any rule runs.
pub struct Analysis {
    pub workspace: Workspace,
    pub modules: Modules,
    pub edges: Edges,
}

/// Loads packages, modules and edges.
pub fn analyse(files: &SourceFiles) -> Result<Analysis, Error> {
    analyse_with(files, &FactCache::default(), &Timing::default())
}

fn analyse_with(
    files: &SourceFiles,
    facts: &FactCache,
    timing: &Timing,
) -> Result<Analysis, Error> {
    let workspace = timing.phase("manifests", || Workspace::load(files));
    let workspace = workspace.ok_or_else(|| {
        Error::Usage("0 files scanned: there is no `Cargo.toml` here; run it in a workspace".into())
    })?;
    let mut problems = workspace.problems.iter();
    if let Some(it) = problems.find(|it| it.place.file == "Cargo.toml" && workspace.is_unknown()) {
        let span = it.place.span;
        let message = format!("Cargo.toml:{}:{}: {}", span.line, span.column, it.message);
        return Err(Error::Usage(message));
    }
    let modules = timing.phase("modules and facts", || {
        Modules::load_with(files, &workspace, facts)
    });
    let is_unread = modules.all.iter().any(|it| files.has(&it.file));
    if modules.facts.is_empty() && workspace.problems.is_empty() && !is_unread {
        let message = "0 files scanned: no member of this workspace has a source file";
        return Err(Error::Usage(message.into()));
    }
    let edges = timing.phase("edges", || Edges::collect(&workspace, &modules));
    Ok(Analysis {
        workspace,
        modules,
        edges,
    })
}

/// Runs work on threads whose stacks are deep enough for deeply nested sources.
pub fn with_deep_stack<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, Error> {
    let pool = rayon::ThreadPoolBuilder::new()
        .stack_size(256 << 20)
        .num_threads(threads)
        .build();
    let pool = pool.map_err(|err| Error::Unreadable(format!("cannot start threads: {err}")))?;
    Ok(pool.install(work))
}

fn run(cx: &Context, today: Date, timing: &Timing) -> (Vec<Diagnostic>, usize) {
    let mut found = Vec::new();
    for rule in RULES
        .iter()
        .filter(|it| cx.config.level(**it) != Level::Off)
    {
        timing.phase(rule.code(), || rule.check(cx, &mut found));
    }
    found.sort();
    found.dedup();
    let (mut kept, excused) = ignores::apply(cx, found, today);
    // Nobody can mend how a tool writes; what such a file uses is checked as in any other.
    kept.retain(|it| !(is_about_writing(it.code) && cx.is_generated(&it.place.file)));
    set_levels(cx.config, &mut kept);
    for it in &mut kept {
        it.origin = cx.origin_of(it);
    }
    (kept, grouped(excused).0.len())
}

/// Whether the rule is about how a file is written, and not about what it depends on.
fn is_about_writing(code: &str) -> bool {
    code < "SL010" || matches!(code, "SL050" | "SL051")
}

/// Gives each finding its rule's level, drops those of rules that are off, and sorts the rest.
fn set_levels(config: &Config, found: &mut Vec<Diagnostic>) {
    found.retain_mut(|it| {
        it.level = crate::rules::find(it.code).map_or(Level::Error, |it| config.level(it));
        if it.unsure && !config.is_strict() && config.rule(it.code).level.is_none() {
            it.level = it.level.min(Level::Warn);
        }
        it.level != Level::Off
    });
    found.sort();
}

impl Context<'_> {
    /// Whether a tool wrote the file, as its first lines say.
    fn is_generated(&self, file: &str) -> bool {
        let facts = self.modules.facts.get(file);
        facts.is_some_and(|it| it.generated)
    }

    /// What a baseline calls the place: a module, or a file that is none.
    fn origin_of(&self, diagnostic: &Diagnostic) -> String {
        let file = &diagnostic.place.file;
        let is_module = diagnostic.from.is_some() || self.modules.facts.contains_key(file);
        if is_module {
            self.spot_of(diagnostic).path
        } else {
            file.clone()
        }
    }

    /// The place of a finding as selectors see it.
    pub fn spot_of(&self, diagnostic: &Diagnostic) -> Spot {
        if let Some(from) = &diagnostic.from {
            return from.clone();
        }
        let file = &diagnostic.place.file;
        let module = self
            .modules
            .all
            .iter()
            .position(|it| it.file == *file && it.scope == 0);
        match module {
            Some(id) => crate::edges::spot(self.modules, id),
            None => {
                let package = self
                    .workspace
                    .package_of(file)
                    .map(|it| &self.workspace.packages[it]);
                let path = package.map(|it| it.ident.clone()).unwrap_or_default();
                Spot {
                    path,
                    file: file.clone(),
                    test: false,
                    build: false,
                }
            }
        }
    }
}

fn source_lines(files: &SourceFiles, diagnostics: &[Diagnostic]) -> BTreeMap<(String, u32), Line> {
    let mut lines = BTreeMap::new();
    let notes = diagnostics
        .iter()
        .flat_map(|it| &it.notes)
        .filter_map(|it| it.place.as_ref());
    for place in diagnostics.iter().map(|it| &it.place).chain(notes) {
        let text = files.get(&place.file).unwrap_or_default();
        let line = text
            .lines()
            .nth(place.span.line.saturating_sub(1) as usize)
            .unwrap_or_default();
        // A line is a part of its text, so that the distance of their addresses is its offset.
        let start = (line.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let line = Line {
            text: line.to_owned(),
            start: if line.is_empty() { 0 } else { start },
        };
        lines.insert((place.file.clone(), place.span.line), line);
    }
    lines
}
