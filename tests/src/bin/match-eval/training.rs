//! Rows for the training program: a line of JSON, then 32-bit numbers, little endian.

use std::io::Write;

use anyhow::Context;
use mapping::matcher::{Model, Task, training};

use crate::case::Case;

/// Columns before those of the matcher.
const OWN: [&str; 10] = [
    "case",
    "family",
    "source",
    "target",
    "task",
    "label",
    "same_name",
    "logit",
    "assigned",
    "decidable",
];

/// Writes one row a judged candidate. `label` is 1 where the pair is right; `family` is a position
/// in the header's list; `task` is 0 for mappings, 1 for canonical, 2 for drift.
pub(crate) fn write(path: &str, cases: &[Case], model: &Model) -> anyhow::Result<()> {
    let mut families: Vec<_> = cases.iter().map(|it| it.family.as_str()).collect();
    families.sort_unstable();
    families.dedup();
    let columns: Vec<_> = OWN.into_iter().chain(training::columns()).collect();
    let header = serde_json::json!({ "columns": columns, "families": families });
    let file = std::fs::File::create(path).with_context(|| format!("{path} cannot be written"))?;
    let mut out = std::io::BufWriter::new(file);
    writeln!(out, "{header}")?;
    for (at, case) in cases.iter().enumerate() {
        let family = families
            .binary_search(&case.family.as_str())
            .unwrap_or_default();
        for row in rows(case, [at as f32, family as f32], model) {
            for number in row {
                out.write_all(&number.to_le_bytes())?;
            }
        }
    }
    Ok(out.flush()?)
}

fn rows(case: &Case, place: [f32; 2], model: &Model) -> Vec<Vec<f32>> {
    let asked = case.asked();
    let task = match asked.task {
        Task::Mapping => 0.0,
        Task::Canonical => 1.0,
        Task::Drift { .. } => 2.0,
    };
    let row = |it: training::TrainingRow| {
        let source = &asked.sources[it.source].name;
        let target = &asked.targets[it.target].name;
        let label = case.label(source, target)?;
        let truth = |it: bool| f32::from(u8::from(it));
        let own = [
            it.source as f32,
            it.target as f32,
            task,
            truth(label),
            truth(it.same_name),
            it.logit as f32,
            f32::from(it.assigned),
            truth(it.decidable),
        ];
        Some(place.into_iter().chain(own).chain(it.columns).collect())
    };
    let rows = training::rows(&asked.question(), model).into_iter();
    rows.filter_map(row).collect()
}

impl Case {
    /// Whether the pair is right; none where the truth of the target is unknown.
    fn label(&self, source: &str, target: &str) -> Option<bool> {
        let truth = self.truth.iter().find(|it| it.1 == target);
        let Some((of, _)) = truth else {
            let judged = self.nulls.iter().any(|it| it == target);
            return judged.then_some(false);
        };
        let as_right = self.alt.get(target).into_iter().flatten();
        Some(of == source || as_right.into_iter().any(|it| it == source))
    }
}
