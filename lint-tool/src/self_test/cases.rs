//! The accuracy cases of `tests/cases`: small workspaces with verdicts. `tests/cases.rs` also compiles
//! them with rustc.

use std::collections::BTreeSet;

use crate::check;
use crate::config::{self, Config};
use crate::error::Error;
use crate::files::SourceFiles;

/// File, line and code.
pub type Finding = (String, u32, String);

/// A workspace and the findings that it must have.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// What it shows, in words.
    pub shows: String,
    /// Whether rustc compiles it.
    pub builds: bool,
    pub files: SourceFiles,
    pub expected: BTreeSet<Finding>,
}

impl Case {
    /// The codes that it must have; none for a trap.
    pub fn codes(&self) -> Vec<&str> {
        let codes = self.expected.iter().map(|it| it.2.as_str());
        codes.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

const FILES: [&str; 8] = [
    include_str!("../../tests/cases/edges.case"),
    include_str!("../../tests/cases/hygiene.case"),
    include_str!("../../tests/cases/manifests.case"),
    include_str!("../../tests/cases/meta.case"),
    include_str!("../../tests/cases/models.case"),
    include_str!("../../tests/cases/paths.case"),
    include_str!("../../tests/cases/published.case"),
    include_str!("../../tests/cases/traps.case"),
];

/// The day on which cases are judged: some have ignores that end.
const TODAY: &str = "2026-11-22";

/// Every case of every file, in order.
pub fn all() -> Vec<Case> {
    FILES.iter().copied().flat_map(read).collect()
}

/// The cases of one file; what stands before the first belongs to each.
pub fn read(text: &str) -> Vec<Case> {
    let (common, cases) = text.split_once("//= ").unwrap_or((text, ""));
    let cases = cases.split("\n//= ").filter_map(|it| case(common, it));
    cases.collect()
}

fn case(common: &str, text: &str) -> Option<Case> {
    let (head, mut body) = text.split_once('\n')?;
    let (name, shows) = head.split_once(": ")?;
    let mut expected = BTreeSet::new();
    while let Some(mark) = body.strip_prefix("//~ ") {
        let (mark, rest) = mark.split_once('\n')?;
        let (place, code) = mark.split_once(' ')?;
        let (file, line) = place.split_once(':')?;
        expected.insert((file.to_owned(), line.parse().ok()?, code.to_owned()));
        body = rest;
    }
    let files = SourceFiles::fixture(&format!("{common}{body}"));
    for file in files.paths() {
        let lines = files.get(file).unwrap_or_default().lines();
        for (index, line) in lines.enumerate() {
            let codes = marks(line).into_iter();
            expected.extend(codes.map(|it| (file.to_owned(), index as u32 + 1, it)));
        }
    }
    Some(Case {
        name: name.to_owned(),
        shows: shows.trim_end_matches(" [no build]").to_owned(),
        builds: !head.ends_with("[no build]"),
        files,
        expected,
    })
}

/// The codes that a line is marked with.
fn marks(line: &str) -> Vec<String> {
    let mark = ["//~ ", "#~ ", "--~ "]
        .iter()
        .find_map(|it| line.split_once(it));
    let codes = mark.map_or("", |(_, codes)| codes).split_whitespace();
    codes.map(str::to_owned).collect()
}

/// Every finding of every rule on a workspace.
pub fn findings(files: &SourceFiles) -> Result<BTreeSet<Finding>, Error> {
    let text = files.get(config::FILE_NAME).unwrap_or_default();
    let mut config = Config::parse(text).map_err(|err| Error::Usage(format!("{err:#}")))?;
    // The cases show what a rule can see; what it leaves alone by default, a case says by itself.
    config.strict.get_or_insert(true);
    let today = TODAY.parse().map_err(Error::Usage)?;
    let report = check::check_files(files, &config, today)?;
    let found = report.diagnostics.into_iter();
    let found = found.map(|it| (it.place.file, it.place.span.line, it.code.to_owned()));
    Ok(found.collect())
}
