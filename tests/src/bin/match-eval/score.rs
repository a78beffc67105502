//! What is counted over the answers to a file of cases.

use std::collections::{BTreeMap, BTreeSet};

use mapping::matcher::{Decision, Task};

use crate::Answered;
use crate::case::Case;

/// Counts of one population.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    cases: u64,
    truth: u64,
    nulls: u64,
    best: u64,
    renamed: u64,
    renamed_best: u64,
    reciprocal_ranks: f64,
    at_truth: u64,
    shown: u64,
    shown_right: u64,
    auto: [u64; 2],
    auto_right: [u64; 2],
    auto_covers: u64,
    /// Probability and whether it was right, of every judged answer; of equal names, of others.
    calibration: [Vec<(f64, bool)>; 2],
}

/// By task, and all together.
pub(crate) fn count(cases: &[(Case, Answered)]) -> BTreeMap<String, Counts> {
    let mut populations = BTreeMap::<String, Counts>::new();
    for (case, answered) in cases {
        let task = match case.task() {
            Task::Drift { .. } => "drift",
            Task::Canonical => "canonical",
            Task::Mapping => "mapping",
        };
        for name in ["all", task] {
            populations
                .entry(name.to_owned())
                .or_default()
                .add(case, answered);
        }
    }
    populations
}

impl Counts {
    fn add(&mut self, case: &Case, answered: &Answered) {
        self.cases += 1;
        let truth: BTreeMap<&str, &str> = case.truth.iter().map(|it| (&*it.1, &*it.0)).collect();
        let right = |source: &str, target: &str| {
            let alternatives = case.alt.get(target);
            truth.get(target).is_some_and(|it| {
                *it == source || alternatives.is_some_and(|all| all.iter().any(|it| it == source))
            })
        };
        self.truth += truth.len() as u64;
        self.nulls += case
            .nulls
            .iter()
            .filter(|it| !truth.contains_key(&***it))
            .count() as u64;
        let renamed: BTreeSet<&str> = truth
            .keys()
            .copied()
            .filter(|target| {
                let alternatives = case.alt.get(*target).into_iter().flatten();
                let mut all = alternatives.map(String::as_str).chain([truth[target]]);
                all.all(|it| bare(it) != bare(target))
            })
            .collect();
        self.renamed += renamed.len() as u64;
        let mut seen = BTreeSet::new();
        // The first of a target is its best.
        let best = answered.pairs.iter();
        for it in best.filter(|it| seen.insert(it.target.as_str())) {
            let (source, target) = (it.source.as_str(), it.target.as_str());
            let known = truth.contains_key(target);
            if !known && !case.nulls.iter().any(|it| it == target) {
                continue;
            }
            let right = right(source, target);
            let other = usize::from(bare(source) != bare(target));
            self.calibration[other].push((it.probability, right));
            self.best += u64::from(right);
            self.renamed_best += u64::from(right && renamed.contains(target));
            if it.decision >= Decision::Review {
                self.shown += 1;
                self.shown_right += u64::from(right);
            }
            if it.decision == Decision::Auto {
                self.auto[other] += 1;
                self.auto_right[other] += u64::from(right);
                self.auto_covers += u64::from(known);
            }
        }
        self.rank(&truth, answered, &right);
    }

    /// Ranks over all pairs that were looked at.
    fn rank(
        &mut self,
        truth: &BTreeMap<&str, &str>,
        answered: &Answered,
        right: &impl Fn(&str, &str) -> bool,
    ) {
        let judged = answered
            .ranked
            .iter()
            .filter(|it| truth.contains_key(&*it.1));
        let first = judged.take(truth.len());
        self.at_truth += first.filter(|it| right(&it.0, &it.1)).count() as u64;
        for target in truth.keys() {
            let mut of_target = answered.ranked.iter().filter(|it| it.1 == *target);
            let rank = of_target.position(|it| right(&it.0, &it.1));
            self.reciprocal_ranks += rank.map_or(0.0, |it| 1.0 / (it + 1) as f64);
        }
    }

    /// The figures as lines.
    pub(crate) fn print(&self, name: &str) {
        let share = |a: u64, b: u64| format!("{a}/{b} = {:.4}", a as f64 / b.max(1) as f64);
        let (auto, right) = (
            self.auto[0] + self.auto[1],
            self.auto_right[0] + self.auto_right[1],
        );
        let judged = self.truth + self.nulls;
        println!(
            "{name}: {} cases, {} targets with a source, {} without one",
            self.cases, self.truth, self.nulls
        );
        println!(
            "  recall at the size of truth  {}",
            share(self.at_truth, self.truth)
        );
        println!(
            "  mean reciprocal rank         {:.4}",
            self.reciprocal_ranks / self.truth.max(1) as f64
        );
        println!(
            "  best candidate is right      {}",
            share(self.best, self.truth)
        );
        println!(
            "  … of renamed fields          {}",
            share(self.renamed_best, self.renamed)
        );
        println!(
            "  for review or better: precision {}, recall {}",
            share(self.shown_right, self.shown),
            share(self.shown_right, self.truth)
        );
        println!("  auto-apply: precision        {}", share(right, auto));
        println!(
            "  … equal names                {}",
            share(self.auto_right[0], self.auto[0])
        );
        println!(
            "  … other names                {}",
            share(self.auto_right[1], self.auto[1])
        );
        println!(
            "  auto-apply: coverage         {}",
            share(self.auto_covers, self.truth)
        );
        println!(
            "  auto-apply: wrong            {}, {:.2} per 1,000 auto-applies, {:.2} per 1,000 targets",
            auto - right,
            1e3 * (auto - right) as f64 / auto.max(1) as f64,
            1e3 * (auto - right) as f64 / judged.max(1) as f64
        );
        let all: Vec<_> = self.calibration.concat();
        println!(
            "  ECE {:.4} (equal names {:.4}, other names {:.4})",
            calibration_error(&all),
            calibration_error(&self.calibration[0]),
            calibration_error(&self.calibration[1])
        );
    }
}

/// Expected calibration error in ten bins of equal width: Naeini et al. (2015).
fn calibration_error(answers: &[(f64, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for (probability, right) in answers {
        let bin = &mut bins[((probability * 10.0) as usize).min(9)];
        bin.0 += probability;
        bin.1 += f64::from(u8::from(*right));
    }
    let error: f64 = bins.iter().map(|it| (it.0 - it.1).abs()).sum();
    error / answers.len().max(1) as f64
}

/// The last segment without case and punctuation.
fn bare(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or_default();
    let letters = last.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|it| it.to_ascii_lowercase()).collect()
}
