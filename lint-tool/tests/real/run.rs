//! Checks published workspaces with the default rules and compares the findings with our verdicts.
//!
//! `cargo run --release -p lint-tool --example real -- FOLDER` fetches what `crates.tsv` names with
//! cargo, lays each project out in the folder, and prints the table of `README.md`. It fails on a
//! finding that `verdicts.tsv` does not judge. With `unresolved` after the folder it prints each path
//! whose beginning is not known instead.

mod layout;
mod verdicts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use structure_lint::Report;
use structure_lint::check::{self, Options};
use structure_lint::timing::Timing;

use self::layout::Crate;
use self::verdicts::{Judgement, Verdicts};

fn main() -> Result<()> {
    let folder: PathBuf = std::env::args()
        .nth(1)
        .context("name a folder for the sources")?
        .into();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real");
    if std::env::args().nth(2).is_some_and(|it| it == "unresolved") {
        return unresolved(&folder, &here);
    }
    let verdicts = Verdicts::read(&here.join("verdicts.tsv"))?;
    println!(
        "| project | crates | files | lines | findings | accepted | rebuilt | paths | unresolved |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut total = Row::default();
    let mut rules = BTreeMap::new();
    for (project, crates) in layout::projects(&here.join("crates.tsv"))? {
        let root = layout::lay_out(&folder, &project, &crates)?;
        let row = check(&project, &crates, &root, &verdicts, &mut rules)?;
        row.print(&project);
        total.add(&row);
    }
    total.print("**all**");
    println!("\n| rule | findings | accepted |\n|---|--:|--:|");
    for (code, (findings, accepted)) in rules {
        println!("| {code} | {findings} | {accepted} |");
    }
    if total.unjudged > 0 {
        bail!("{} findings have no verdict", total.unjudged);
    }
    Ok(())
}

/// Findings and accepted findings of each rule.
type Rules = BTreeMap<&'static str, (usize, usize)>;

#[derive(Default)]
struct Row {
    crates: usize,
    files: usize,
    lines: usize,
    findings: usize,
    accepted: usize,
    unjudged: usize,
    /// Findings about our rebuilding.
    rebuilt: usize,
    paths: usize,
    unresolved: usize,
}

impl Row {
    fn add(&mut self, other: &Row) {
        self.crates += other.crates;
        self.files += other.files;
        self.lines += other.lines;
        self.findings += other.findings;
        self.accepted += other.accepted;
        self.unjudged += other.unjudged;
        self.rebuilt += other.rebuilt;
        self.paths += other.paths;
        self.unresolved += other.unresolved;
    }

    fn print(&self, name: &str) {
        let share = self.unresolved as f64 * 100.0 / self.paths.max(1) as f64;
        println!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {share:.2} % |",
            self.crates,
            self.files,
            self.lines,
            self.findings,
            self.accepted,
            self.rebuilt,
            self.paths,
        );
    }
}

fn check(
    project: &str,
    crates: &[Crate],
    root: &Path,
    verdicts: &Verdicts,
    rules: &mut Rules,
) -> Result<Row> {
    let (report, _) = check::check_with(root, &Options::default(), &Timing::default())?;
    let mut row = Row {
        crates: crates.len(),
        files: report.files,
        lines: layout::lines(root)?,
        paths: report.paths,
        unresolved: report.unresolved,
        ..Row::default()
    };
    judge(project, &report, verdicts, &mut row, rules);
    Ok(row)
}

/// Counts what is accepted, and prints what nobody has judged.
fn judge(project: &str, report: &Report, verdicts: &Verdicts, row: &mut Row, rules: &mut Rules) {
    for it in &report.diagnostics {
        let judgement = verdicts.of(project, it);
        if judgement == Some(Judgement::Rebuilt) {
            row.rebuilt += 1;
            continue;
        }
        row.findings += 1;
        let entry = rules.entry(it.code).or_default();
        entry.0 += 1;
        match judgement {
            Some(Judgement::Yes) => {
                entry.1 += 1;
                row.accepted += 1;
            }
            Some(_) => {}
            None => {
                row.unjudged += 1;
                let place = format!("{}:{}", it.place.file, it.place.span.line);
                eprintln!("{project}\t{}\t{place}\t{}", it.code, it.message);
            }
        }
    }
}

/// Prints the project, the place and the text of each path that leads nowhere.
fn unresolved(folder: &Path, here: &Path) -> Result<()> {
    for (project, crates) in layout::projects(&here.join("crates.tsv"))? {
        let root = layout::lay_out(folder, &project, &crates)?;
        let (files, _) = check::read(&root)?;
        let analysis = check::with_deep_stack(0, || check::analyse(&files))??;
        for note in analysis.edges.unresolved {
            let place = note.place.map(|it| format!("{}:{}", it.file, it.span.line));
            let place = place.unwrap_or_default();
            println!("{project}\t{place}\t{}", note.text);
        }
    }
    Ok(())
}
