//! What the training program learns from: one row a candidate pair, computed by the same code
//! that answers.

use std::collections::BTreeSet;

use super::answer::Scored;
use super::model::Model;
use super::question::Question;
use super::{context, features};

/// A candidate pair as the training program sees it.
#[derive(Debug)]
pub struct TrainingRow {
    /// Positions in the question.
    pub source: usize,
    /// Positions in the question.
    pub target: usize,
    /// Whether the last segments of the names are equal.
    pub same_name: bool,
    /// The second stage's logit under the given model.
    pub logit: f64,
    /// 1 where the target gets this source, 2 where it gets it beside another target.
    pub assigned: u8,
    /// Whether a decision without a person depends on the probability alone: no veto, enough margin.
    pub decidable: bool,
    /// The columns, in the order of [`columns`].
    pub columns: Vec<f32>,
}

/// The names of the columns: those of the rivals, then the pair's own.
pub fn columns() -> Vec<&'static str> {
    context::NAMES
        .iter()
        .chain(&features::NAMES)
        .copied()
        .collect()
}

/// The candidates of a question.
pub fn rows(question: &Question, model: &Model) -> Vec<TrainingRow> {
    let scored = Scored::new(question, model, &|_, _| 0.0);
    let assigned = |at: usize| {
        let of_target = scored.assigned[scored.candidates[at].target];
        let it = of_target.filter(|it| it.candidate == at);
        it.map_or(0, |it| 1 + u8::from(it.reused))
    };
    let matches = scored.matches().into_iter();
    let decidable = matches.filter(|it| it.vetoes.is_empty() && it.margin >= 0.15);
    let decidable: BTreeSet<_> = decidable.map(|it| (it.source, it.target)).collect();
    let row = |(at, it): (usize, &super::candidates::Candidate)| TrainingRow {
        source: it.source,
        target: it.target,
        same_name: scored.has_same_name(it),
        logit: scored.logits[at],
        assigned: assigned(at),
        decidable: decidable.contains(&(it.source, it.target)),
        columns: scored.rows[at].to_vec(),
    };
    scored.candidates.iter().enumerate().map(row).collect()
}
