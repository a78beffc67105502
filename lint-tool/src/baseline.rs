//! `structure-lint.baseline.json`: findings that are known, so that only new ones fail.
//!
//! **Invariant:** a key is rule, from and to, never a line, so that moving code changes nothing; and a
//! check only reads the file. One entry a line, sorted, so that two branches merge.

pub mod command;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Place, Span};
use crate::files::SourceFiles;

/// The name of the baseline, at the root of the workspace.
pub const FILE_NAME: &str = "structure-lint.baseline.json";

/// What findings have in common that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub rule: String,
    /// The module, or the file where there is none.
    pub from: String,
    pub to: String,
}

/// Known findings by key, with how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline(pub BTreeMap<Key, usize>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    from: String,
    to: String,
    count: usize,
}

impl Baseline {
    /// The baseline of a workspace; empty when there is no file.
    pub fn of(files: &SourceFiles) -> Result<Baseline> {
        files
            .get(FILE_NAME)
            .map_or(Ok(Baseline::default()), Baseline::parse)
    }

    /// Reads a baseline. Two entries with one key, as a merge leaves them, count together.
    pub fn parse(text: &str) -> Result<Baseline> {
        let document: Document = match serde_json::from_str(text) {
            Ok(document) => document,
            Err(err) => bail!(
                "{FILE_NAME}:{}: {err}; write it with `structure-lint baseline update`",
                err.line()
            ),
        };
        if document.version != 1 {
            bail!("{FILE_NAME}: version {} is not known", document.version);
        }
        let mut baseline = Baseline::default();
        for it in document.findings {
            let (rule, from, to) = (it.rule, it.from, it.to);
            *baseline.0.entry(Key { rule, from, to }).or_default() += it.count;
        }
        Ok(baseline)
    }

    /// The findings of a check as a baseline. What is wrong with the checking itself is never known.
    pub fn of_findings<'a>(found: impl IntoIterator<Item = &'a Diagnostic>) -> Baseline {
        let mut baseline = Baseline::default();
        for it in found.into_iter().filter(|it| !is_meta(it.code)) {
            *baseline.0.entry(key(it)).or_default() += 1;
        }
        baseline
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = "{\n\"version\": 1,\n\"findings\": [".to_owned();
        for (index, (key, count)) in self.0.iter().enumerate() {
            let entry = Entry {
                rule: key.rule.clone(),
                from: key.from.clone(),
                to: key.to.clone(),
                count: *count,
            };
            let line = serde_json::to_string(&entry).expect("strings and a number are JSON");
            let _ = write!(text, "{}\n{line}", if index == 0 { "" } else { "," });
        }
        text.push_str("\n]\n}\n");
        text
    }

    /// Takes known findings out and adds SL905 for entries whose findings are gone. Of a key with more
    /// findings than are known all are kept, since nobody can tell the new one from the others.
    pub(crate) fn apply(
        &self,
        files: &SourceFiles,
        found: Vec<Diagnostic>,
    ) -> (Vec<Diagnostic>, usize) {
        if self.0.is_empty() {
            return (found, 0);
        }
        let counts = Baseline::of_findings(&found);
        let before = found.len();
        let mut kept = Vec::new();
        for it in found {
            let key = key(&it);
            let (known, now) = (self.0.get(&key), counts.0.get(&key).copied().unwrap_or(0));
            match known {
                Some(known) if now <= *known => {}
                Some(known) => {
                    let note = format!("the baseline knows {known} of these {now} findings");
                    kept.push(it.note(note, None));
                }
                None => kept.push(it),
            }
        }
        let known = before - kept.len();
        let text = files.get(FILE_NAME).unwrap_or_default();
        let gone = |key: &Key| counts.0.get(key).copied().unwrap_or(0);
        for (key, count) in self.0.iter().filter(|(key, count)| gone(key) < **count) {
            kept.push(stale(text, key, *count, gone(key)));
        }
        (kept, known)
    }
}

fn is_meta(code: &str) -> bool {
    code.starts_with("SL9")
}

fn key(it: &Diagnostic) -> Key {
    Key {
        rule: it.code.to_owned(),
        from: it.origin.clone(),
        to: it.to.clone(),
    }
}

fn stale(text: &str, key: &Key, count: usize, now: usize) -> Diagnostic {
    let holds = |line: &str| {
        let entry: Option<Entry> = serde_json::from_str(line.trim().trim_end_matches(',')).ok();
        entry.is_some_and(|it| it.rule == key.rule && it.from == key.from && it.to == key.to)
    };
    let line = text.lines().position(holds).unwrap_or(0) as u32 + 1;
    let place = Place::new(
        FILE_NAME,
        Span {
            line,
            ..Span::START
        },
    );
    let to = if key.to.is_empty() {
        String::new()
    } else {
        format!(" -> `{}`", key.to)
    };
    let message = format!(
        "the baseline knows {count} of {} at `{}`{to}, and there are {now}",
        key.rule, key.from
    );
    Diagnostic::new("SL905", place, message)
        .label("fixed")
        .help("run `structure-lint baseline shrink`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const BREACH: &str = "//- src/lib.rs\n#[path = \"a.rs\"] mod a;\n#[path = \"b.rs\"] mod b;\n\
        #[path = \"c.rs\"] mod c;\n//- src/a.rs\n//- src/b.rs\n//- src/c.rs\n";

    /// The short findings and how many were known.
    fn check(baseline: &str, expected: &[&str], known: usize) {
        let files = SourceFiles::fixture(&format!("//- {FILE_NAME}\n{baseline}\n{BREACH}"));
        let today = "2026-11-22".parse().unwrap();
        let config = Config::parse("strict = true").unwrap();
        let report = crate::check::check_files(&files, &config, today).unwrap();
        let found: Vec<String> = report
            .diagnostics
            .iter()
            .map(|it| format!("{}:{}", it.code, it.place.span.line))
            .collect();
        assert_eq!(
            (found, report.baselined),
            (expected.iter().map(|it| (*it).to_owned()).collect(), known)
        );
    }

    fn entry(count: usize) -> String {
        format!("{{\"rule\":\"SL001\",\"from\":\"app\",\"to\":\"\",\"count\":{count}}}")
    }

    fn file(entries: &str) -> String {
        format!("{{\n\"version\": 1,\n\"findings\": [\n{entries}\n]\n}}")
    }

    #[test]
    fn what_is_known_is_silent_and_what_is_new_is_not() {
        check(&file(&entry(3)), &[], 3);
        check(&file(&entry(2)), &["SL001:1", "SL001:2", "SL001:3"], 0);
        check(&file(&format!("{},\n{}", entry(1), entry(2))), &[], 3);
    }

    #[test]
    fn what_is_gone_is_said_at_its_line() {
        check(&file(&entry(4)), &["SL905:4"], 3);
        let other = "{\"rule\":\"SL011\",\"from\":\"x\",\"to\":\"y\",\"count\":1}";
        check(&file(&format!("{},\n{other}", entry(3))), &["SL905:5"], 3);
    }

    #[test]
    fn a_baseline_is_written_as_it_is_read() {
        let text = file(&entry(3)) + "\n";
        assert_eq!(Baseline::parse(&text).unwrap().text(), text);
        let err = Baseline::parse("{\n<<<<<<<").unwrap_err().to_string();
        assert!(err.starts_with("structure-lint.baseline.json:2: "), "{err}");
    }
}
