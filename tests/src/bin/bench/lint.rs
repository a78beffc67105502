//! The structure checker against `syn::parse_file` over the same sources, in CPU time, on one thread.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use structure_lint::cache::Cache;
use structure_lint::check::{self, Options};
use structure_lint::files::SourceFiles;
use structure_lint::timing::Timing;

use crate::report::{Report, median};

const LINES: usize = 360_000;
/// A crate with more lines is mostly generated.
const MAX_FILES: usize = 30_000;
const TURNS: usize = 5;
/// A warm check is shorter than the clock's tick.
const WARM: usize = 20;
const MEGABYTE: f64 = 1024.0;

/// A workspace made of the crates that this machine has downloaded.
struct Corpus {
    root: PathBuf,
    data: String,
}

impl Drop for Corpus {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

pub(crate) fn run() -> anyhow::Result<()> {
    let corpus = corpus()?;
    let memory = memory_of(|| cold(&corpus))?;
    let sources = sources(&corpus)?;
    let (mut colds, mut warms, mut edits, mut parses) = (vec![], vec![], vec![], vec![]);
    for turn in 0..TURNS {
        colds.push(cpu(|| cold(&corpus))?);
        parses.push(cpu(|| parse(&sources))?);
        warms.push(cpu(|| (0..WARM).try_for_each(|_| check(&corpus)))? / WARM as f64);
        edit(&corpus, turn)?;
        edits.push(cpu(|| check(&corpus))?);
    }
    let parse = median(parses);
    print("lint-cold", median(colds), parse, &corpus)?;
    print("lint-warm", median(warms), parse, &corpus)?;
    print("lint-edit", median(edits), parse, &corpus)?;
    Report {
        name: "lint-memory",
        value: memory,
        unit: "MB at the peak of a cold check",
        reference: "100 MB",
        reference_value: 100.0,
        ratio: memory / 100.0,
        n: 1,
        data: &corpus.data,
    }
    .print()
}

fn print(name: &str, value: f64, reference_value: f64, corpus: &Corpus) -> anyhow::Result<()> {
    Report {
        name,
        value,
        unit: "s of CPU time",
        reference: "syn::parse_file of the same sources",
        reference_value,
        ratio: value / reference_value,
        n: TURNS,
        data: &corpus.data,
    }
    .print()
}

fn check(corpus: &Corpus) -> anyhow::Result<()> {
    let options = Options {
        cache: Cache::of(&corpus.root),
        threads: 1,
    };
    let (report, _) = check::check_with(&corpus.root, &options, &Timing::default())?;
    black_box(structure_lint::render(
        &report,
        structure_lint::Format::Json,
    ));
    Ok(())
}

/// Without what earlier runs know; what the run learns is written.
fn cold(corpus: &Corpus) -> anyhow::Result<()> {
    let _ = fs::remove_dir_all(corpus.root.join("target/structure-lint"));
    check(corpus)
}

fn edit(corpus: &Corpus, turn: usize) -> anyhow::Result<()> {
    let manifest = corpus.root.join("edited/src/lib.rs");
    Ok(fs::write(manifest, format!("pub fn turn_{turn}() {{}}\n"))?)
}

fn parse(sources: &[String]) -> anyhow::Result<()> {
    for text in sources {
        let _ = black_box(syn::parse_file(text));
        proc_macro2::extra::invalidate_current_thread_spans();
    }
    Ok(())
}

/// The texts that the checker parses.
fn sources(corpus: &Corpus) -> anyhow::Result<Vec<String>> {
    let files = SourceFiles::read(&corpus.root)?;
    let analysis = check::with_deep_stack(1, || check::analyse(&files))??;
    let paths = analysis.modules.facts.keys();
    Ok(paths
        .filter_map(|it| files.get(it).map(str::to_owned))
        .collect())
}

fn corpus() -> anyhow::Result<Corpus> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.context("HOME is not set")?.join("registry/src");
    let registry = entries(&registries)?.into_iter().next();
    let registry = registry.with_context(|| format!("{} is empty", registries.display()))?;
    let root = std::env::temp_dir().join(format!("bench-lint-{}", std::process::id()));
    let mut corpus = Corpus {
        root,
        data: String::new(),
    };
    fs::create_dir_all(corpus.root.join("edited/src"))?;
    fs::write(
        corpus.root.join("Cargo.toml"),
        "[workspace]\nmembers = [\"*\"]\n",
    )?;
    fs::write(
        corpus.root.join("edited/Cargo.toml"),
        "[package]\nname = \"edited\"\n",
    )?;
    edit(&corpus, TURNS)?;
    let (mut crates, mut lines) = (0, 0);
    for package in entries(&registry)?.into_iter().filter(|it| it.is_dir()) {
        let more = lines_in(&package)?;
        if more <= MAX_FILES && lines + more <= LINES {
            let name = package.file_name().context("a crate has a name")?;
            copy(&package, &corpus.root.join(name))?;
            (crates, lines) = (crates + 1, lines + more);
        }
    }
    corpus.data = format!("{lines} lines of Rust in {crates} published crates");
    Ok(corpus)
}

fn entries(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("no folder {}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

fn lines_in(dir: &Path) -> anyhow::Result<usize> {
    let mut lines = 0;
    for path in entries(dir)? {
        if path.is_dir() {
            lines += lines_in(&path)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            lines += fs::read(&path)?.iter().filter(|it| **it == b'\n').count();
        }
    }
    Ok(lines)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for path in entries(from)? {
        let to = to.join(path.file_name().context("an entry has a name")?);
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

/// CPU seconds of this process while the work runs, on all threads.
fn cpu(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let before = ticks()?;
    work()?;
    Ok((ticks()? - before) / 100.0)
}

fn ticks() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').context("stat names the process")?.1;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Ok(fields[11].parse::<f64>()? + fields[12].parse::<f64>()?)
}

/// By how many megabytes the process grows at most while the work runs.
fn memory_of(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")?;
    let before = kilobytes("VmRSS:")?;
    work()?;
    Ok((kilobytes("VmHWM:")? - before) / MEGABYTE)
}

fn kilobytes(field: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix(field));
    let number = line.and_then(|it| it.split_whitespace().next());
    Ok(number.context("the system tells memory")?.parse()?)
}
