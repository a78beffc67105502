//! Proves that the configured contracts fire: each gets a violation planted in a copy of the facts, each
//! rule its own bad example, and the accuracy cases are judged anew.

pub mod cases;
mod contracts;
mod models;

use crate::check::{self, Analysis, Context};
use crate::config::Config;
use crate::date::Date;
use crate::diagnostic::Diagnostic;
use crate::edges::{Edge, Edges, Spot, spot};
use crate::error::Error;
use crate::files::SourceFiles;
use crate::ignores;
use crate::models::Models;
use crate::rules::{self, RULES, Rule};
use crate::workspace::ident;

/// What became of one planted violation, or of one case.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub code: String,
    pub planted: String,
    pub outcome: Outcome,
}

/// Whether the checker did what it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Fires,
    /// Nothing can break it, or the rule does not see it.
    Silent,
    /// A case has its findings and no other.
    AsExpected,
    Wrong,
}

impl Verdict {
    /// Whether it is as it must be.
    pub fn is_good(&self) -> bool {
        matches!(self.outcome, Outcome::Fires | Outcome::AsExpected)
    }
}

/// Plants a violation for each contract of the configuration and for each rule, and judges each case.
pub fn run(files: &SourceFiles, config: &Config, today: Date) -> Result<Vec<Verdict>, Error> {
    let analysis = check::analyse(files)?;
    let field = Field {
        files,
        config,
        analysis: &analysis,
    };
    let violations = contracts::violations(&field).into_iter();
    let violations = violations.chain(models::violations(&field));
    let mut verdicts: Vec<Verdict> = violations.map(|it| field.plant(it)).collect();
    verdicts.extend(field.ended());
    for rule in RULES {
        verdicts.push(example(*rule, today));
    }
    for case in cases::all() {
        verdicts.push(judge(&case));
    }
    Ok(verdicts)
}

/// The verdicts as a Markdown table.
pub fn table(verdicts: &[Verdict]) -> String {
    let row = |it: &Verdict| {
        let verdict = match it.outcome {
            Outcome::Fires => "fires",
            Outcome::Silent => "SILENT",
            Outcome::AsExpected => "as expected",
            Outcome::Wrong => "WRONG",
        };
        format!("| {} | {} | {verdict} |\n", it.code, it.planted)
    };
    let rows: String = verdicts.iter().map(row).collect();
    format!("| rule | planted | verdict |\n|---|---|---|\n{rows}")
}

/// How many violations are found, and how many cases have their verdict.
pub fn summary(verdicts: &[Verdict]) -> String {
    let is_case = |it: &&Verdict| matches!(it.outcome, Outcome::AsExpected | Outcome::Wrong);
    let (cases, violations): (Vec<_>, Vec<_>) = verdicts.iter().partition(is_case);
    let good = |all: &[&Verdict]| all.iter().filter(|it| it.is_good()).count();
    format!(
        "{} of {} planted violations are found, {} of {} cases have their verdict",
        good(&violations),
        violations.len(),
        good(&cases),
        cases.len()
    )
}

/// A contract with facts that break it; without any, nothing can.
struct Violation {
    code: &'static str,
    contract: String,
    /// The configuration with this contract alone.
    config: Config,
    edges: Vec<Edge>,
    models: Models,
}

struct Field<'a> {
    files: &'a SourceFiles,
    config: &'a Config,
    analysis: &'a Analysis,
}

impl Field<'_> {
    /// Whether the rule speaks of the contract when what breaks it is all that there is.
    fn plant(&self, violation: Violation) -> Verdict {
        let edges = Edges::of(violation.edges);
        let mut found: Vec<Diagnostic> = Vec::new();
        if let Some(rule) = rules::find(violation.code) {
            let cx = self.context(&violation.config, &edges, &violation.models);
            rule.check(&cx, &mut found);
        }
        verdict(violation.code, violation.contract, !found.is_empty())
    }

    fn context<'a>(
        &'a self,
        config: &'a Config,
        edges: &'a Edges,
        models: &'a Models,
    ) -> Context<'a> {
        Context {
            files: self.files,
            config,
            workspace: &self.analysis.workspace,
            modules: &self.analysis.modules,
            edges,
            models,
        }
    }

    /// Each exception and ignore with a last day, on a day that is later than any.
    fn ended(&self) -> Vec<Verdict> {
        let Ok(late) = "9999-12-31".parse() else {
            return Vec::new();
        };
        let (edges, models) = (Edges::default(), Models::default());
        let cx = self.context(self.config, &edges, &models);
        let (found, _) = ignores::apply(&cx, Vec::new(), late);
        let speaks_of = |file: &str, line: u32| {
            let mut all = found.iter().filter(|it| it.code == "SL903");
            all.any(|it| it.place.file == file && it.place.span.line == line)
        };
        let excepts = self.config.except.iter().filter(|it| it.until.is_some());
        let excepts = excepts.map(|it| {
            let place = self.config.place(&it.rule);
            let planted = format!("the exception to {} has ended", it.rule.get_ref());
            verdict("SL903", planted, speaks_of(&place.file, place.span.line))
        });
        let facts = self.analysis.modules.facts.iter();
        let inline = facts.flat_map(|(file, it)| it.allows.iter().map(move |it| (file, it)));
        let inline = inline.filter(|(_, it)| it.until.is_some());
        let inline = inline.map(|(file, it)| {
            let planted = format!("the ignore in `{file}` has ended");
            verdict("SL903", planted, speaks_of(file, it.span.line))
        });
        excepts.chain(inline).collect()
    }

    /// Each module with its package.
    fn places(&self) -> impl Iterator<Item = (usize, Spot)> + '_ {
        let modules = &self.analysis.modules;
        (0..modules.all.len()).map(|it| (modules.all[it].package, spot(modules, it)))
    }

    fn spots(&self) -> impl Iterator<Item = Spot> + '_ {
        self.places().map(|(_, it)| it)
    }

    fn first(&self, name: &str) -> Option<Spot> {
        self.spots()
            .find(|it| self.config.covers(name, it).is_some())
    }
}

/// A path of a crate from elsewhere.
fn outside(name: &str) -> Spot {
    Spot {
        path: ident(name),
        file: String::new(),
        test: false,
        build: false,
    }
}

fn verdict(code: &str, planted: String, fires: bool) -> Verdict {
    Verdict {
        code: code.to_owned(),
        planted,
        outcome: if fires {
            Outcome::Fires
        } else {
            Outcome::Silent
        },
    }
}

/// The rule's first bad example, checked as a workspace of its own.
fn example(rule: &dyn Rule, today: Date) -> Verdict {
    let example = rule
        .explain()
        .split("```bad\n")
        .nth(1)
        .and_then(|it| it.split("```").next());
    let fires = |text: &str| {
        let files = SourceFiles::fixture(text);
        let text = files.get(crate::config::FILE_NAME).unwrap_or_default();
        let mut config = Config::parse(text).ok()?;
        config.strict.get_or_insert(true);
        let report = check::check_files(&files, &config, today).ok()?;
        Some(report.diagnostics.iter().any(|it| it.code == rule.code()))
    };
    let planted = format!("the bad example of `{}`", rule.name());
    verdict(rule.code(), planted, example.and_then(fires) == Some(true))
}

/// Whether a case has the findings that its lines are marked with, and no other.
fn judge(case: &cases::Case) -> Verdict {
    let is_good = cases::findings(&case.files).is_ok_and(|it| it == case.expected);
    let codes = case.codes().join(" ");
    Verdict {
        code: if codes.is_empty() { "-".into() } else { codes },
        planted: format!("`{}`: {}", case.name, case.shows),
        outcome: if is_good {
            Outcome::AsExpected
        } else {
            Outcome::Wrong
        },
    }
}

#[cfg(test)]
mod tests;
