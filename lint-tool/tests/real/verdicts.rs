//! What we think of a finding: would a maintainer of that project fix it?

use std::path::Path;

use anyhow::{Context as _, Result};
use structure_lint::Diagnostic;

/// The lines of `verdicts.tsv`; the project `*` is each of them.
pub(crate) struct Verdicts(Vec<Verdict>);

struct Verdict {
    project: String,
    code: String,
    /// How the file's path begins.
    file: String,
    judgement: Judgement,
}

/// Whether a maintainer would fix what a finding says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    Yes,
    No,
    /// It is about our rebuilding: a file or table that the project has and does not publish.
    Rebuilt,
}

impl Verdicts {
    /// Reads `project code file verdict why`, parted by tabs.
    pub(crate) fn read(path: &Path) -> Result<Verdicts> {
        let text = std::fs::read_to_string(path).context("cannot read the verdicts")?;
        let lines = text.lines().filter(|it| !it.starts_with('#'));
        let verdicts = lines.map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [project, code, file, verdict, _why] = cells.as_slice() else {
                anyhow::bail!("five cells are wanted in `{line}`");
            };
            Ok(Verdict {
                project: (*project).to_owned(),
                code: (*code).to_owned(),
                file: (*file).to_owned(),
                judgement: match *verdict {
                    "yes" => Judgement::Yes,
                    "no" => Judgement::No,
                    "rebuilt" => Judgement::Rebuilt,
                    _ => anyhow::bail!("no verdict is called `{verdict}`"),
                },
            })
        });
        verdicts.collect::<Result<Vec<Verdict>>>().map(Verdicts)
    }

    /// The verdict with the longest file that covers the finding.
    pub(crate) fn of(&self, project: &str, finding: &Diagnostic) -> Option<Judgement> {
        let file = &finding.place.file;
        let covering = self.0.iter().filter(|it| {
            [project, "*"].contains(&it.project.as_str())
                && it.code == finding.code
                && file.starts_with(&it.file)
        });
        covering
            .max_by_key(|it| it.file.len())
            .map(|it| it.judgement)
    }
}
