//! The second ranker, for tables whose values tell more than their names: research tables with
//! coded columns, where the model, which learnt from business records, trusts the names too much.

use std::collections::BTreeSet;

use super::candidates::{self, Candidate};
use super::concepts::Concepts;
use super::features;
use super::form::{FieldForms, entity_concepts};
use super::question::{Field, Question};

/// A pair and how alike its fields are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// Positions in the question.
    pub source: usize,
    /// Positions in the question.
    pub target: usize,
    /// 0 to 1; no probability, as nothing was counted.
    pub score: f64,
    /// Whether the two are each other's choice, when each source and target is taken once.
    pub chosen: bool,
}

/// What counts how much. The weights were set before the first look at the tables that they were
/// measured on.
const WEIGHTS: [(&str, f64); 8] = [
    ("wjac", 1.0),
    ("tri", 1.0),
    ("cov_t", 0.5),
    ("cov_s", 0.5),
    ("vjac", 0.8),
    ("vtok", 0.4),
    ("fmt_cos", 0.3),
    ("num_q", 0.3),
];
/// Distinct values of a column that are compared.
const DISTINCT: usize = 200;
/// Both sides' columns have at least so many distinct values, in the median.
const RICH: usize = 20;

/// Whether both sides are rich in values: half of the fields that have samples have at least 20
/// distinct ones.
pub fn is_rich_in_values(question: &Question) -> bool {
    let rich = |fields: &[Field]| {
        let distinct = |it: &Field| it.samples.iter().collect::<BTreeSet<_>>().len();
        let mut counts: Vec<_> = fields.iter().map(distinct).filter(|it| *it > 0).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).is_some_and(|it| *it >= RICH)
    };
    rich(question.sources) && rich(question.targets)
}

/// The pairs, the best first: those that chose each other, then the others.
pub fn rank_by_values(question: &Question) -> Vec<Ranked> {
    let mut known = Concepts::new();
    let entity = entity_concepts(question.entity_words, &mut known);
    let mut forms = |fields: &[Field]| -> Vec<FieldForms> {
        let each = fields.iter().map(with_distinct_values);
        each.map(|it| FieldForms::of(&it, 0.0, &entity, &mut known, DISTINCT))
            .collect()
    };
    let (sources, targets) = (forms(question.sources), forms(question.targets));
    let pairs = candidates::pairs(&sources, &targets, &known, candidates::BY_VALUES);
    let compare = |it| candidates::candidate(it, &sources, &targets, false, &known);
    let score = |it: Candidate| Ranked {
        source: it.source,
        target: it.target,
        score: score(&it.features),
        chosen: false,
    };
    let mut ranked: Vec<_> = pairs.into_iter().map(compare).map(score).collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut taken = (vec![false; sources.len()], vec![false; targets.len()]);
    for it in &mut ranked {
        it.chosen = !taken.0[it.source] && !taken.1[it.target];
        if it.chosen {
            taken.0[it.source] = true;
            taken.1[it.target] = true;
        }
    }
    // Stable: within both halves the score counts.
    ranked.sort_by_key(|it| !it.chosen);
    ranked
}

fn score(features: &features::Features) -> f64 {
    let all: f64 = WEIGHTS.iter().map(|it| it.1).sum();
    let weighed = WEIGHTS.iter().map(|(name, weight)| {
        let at = features::at(name).expect("it is a feature");
        weight * f64::from(features[at])
    });
    weighed.sum::<f64>() / all
}

fn with_distinct_values(field: &Field) -> Field {
    let mut seen = BTreeSet::new();
    let first = field.samples.iter().filter(|it| seen.insert(*it));
    Field {
        samples: first.take(DISTINCT).cloned().collect(),
        ..field.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::question::Task;
    use super::*;

    fn field(name: &str, values: impl Iterator<Item = String>) -> Field {
        Field {
            name: name.to_owned(),
            samples: values.collect(),
            ..Field::default()
        }
    }

    #[test]
    fn equal_codes_count_where_names_say_nothing() {
        let codes = |letter: char| (0..40).map(move |it| format!("{letter}{it}"));
        let sources = [field("v1", codes('a')), field("v2", codes('b'))];
        let targets = [field("histology", codes('b')), field("site", codes('a'))];
        let question = Question {
            task: Task::Mapping,
            sources: &sources,
            targets: &targets,
            entity_words: &[],
        };
        assert!(is_rich_in_values(&question));
        let ranked = rank_by_values(&question);
        let chosen: Vec<_> = ranked.iter().filter(|it| it.chosen).collect();
        assert_eq!(chosen.len(), 2);
        assert!(chosen.iter().all(|it| it.source != it.target));
        assert!(ranked.iter().all(|it| (0.0..=1.0).contains(&it.score)));
        let few = [field("v1", codes('a').take(3))];
        assert!(!is_rich_in_values(&Question {
            sources: &few,
            ..question
        }));
    }
}
