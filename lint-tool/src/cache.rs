//! What earlier runs found out, kept in `target/structure-lint/` and found again by content.
//!
//! **Invariant:** what is read is whole and was written by this very build, or it does not count.
//! No failure here is an error: a cache that cannot be read or written is no cache.

mod atomic_file;
mod facts;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::check::{Line, Report};
use crate::date::Date;
use crate::files::SourceFiles;

pub(crate) use facts::{Entry, FactCache};

/// The folder of one workspace's caches; none with `--no-cache`.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    dir: Option<PathBuf>,
}

/// The hash of a text.
pub(crate) type Hash = u128;

pub(crate) fn hash(text: &str) -> Hash {
    xxh3_128(text.as_bytes())
}

/// A report with the lines that its own document leaves out.
#[derive(Serialize, Deserialize)]
struct Stored {
    report: Report,
    lines: Vec<(String, u32, Line)>,
}

impl Cache {
    /// No cache.
    pub fn none() -> Cache {
        Cache::default()
    }

    /// The cache of the workspace at `root`.
    pub fn of(root: &Path) -> Cache {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
        Cache {
            dir: Some(root.join(target).join("structure-lint")),
        }
    }

    /// The facts of files.
    pub(crate) fn facts(&self) -> FactCache {
        FactCache::open(self.dir.as_ref().map(|it| it.join("facts")))
    }

    /// The report of an earlier run on exactly these files.
    pub(crate) fn report(&self, key: Hash) -> Option<Report> {
        let bytes = atomic_file::read(&self.report_file()?)?;
        let body = bytes.strip_prefix(&key.to_le_bytes())?;
        let stored: Stored = serde_json::from_slice(body).ok()?;
        let lines = stored.lines.into_iter();
        Some(Report {
            lines: lines.map(|(file, at, line)| ((file, at), line)).collect(),
            ..stored.report
        })
    }

    /// Keeps a report, and gives it back.
    pub(crate) fn keep_report(&self, key: Hash, report: Report) -> Report {
        let Some(file) = self.report_file() else {
            return report;
        };
        let lines = report.lines.iter();
        let stored = Stored {
            lines: lines
                .map(|((file, at), line)| (file.clone(), *at, line.clone()))
                .collect(),
            report,
        };
        if let Ok(body) = serde_json::to_vec(&stored) {
            atomic_file::write(&file, &[&key.to_le_bytes()[..], &body].concat());
        }
        stored.report
    }

    fn report_file(&self) -> Option<PathBuf> {
        self.dir.as_ref().map(|it| it.join("report"))
    }
}

/// The hash of all that a report depends on.
pub(crate) fn key(files: &SourceFiles, today: Date) -> Hash {
    let mut hasher = Xxh3::new();
    files.each(&mut |part| {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    });
    hasher.update(format!("{today:?}").as_bytes());
    hasher.digest128()
}
