//! What is done with a pair: decided, put before a person, or only shown.

use super::calibration::Group;
use super::concepts::Concepts;
use super::features::{self, Features};
use super::form::{FieldForms, Form};
use super::model::Model;
use super::question::Task;

/// What the platform may do with a proposed pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Shown among the alternatives; too unsure to fill in.
    Shown,
    /// A person decides; filled in beforehand.
    Review,
    /// Sure enough to be applied.
    Auto,
}

/// The least probability and margin of a decision without a person.
const AUTO: (f64, f64) = (0.85, 0.15);
/// The least probability that is worth a person's time. A lost field is worth more of it.
const REVIEW: f64 = 0.60;
const REVIEW_OF_DRIFT: f64 = 0.30;

/// What a decision is made from.
pub(super) struct Sureness {
    pub(super) group: Group,
    pub(super) probability: f64,
    pub(super) margin: f64,
    pub(super) reused: bool,
}

/// Decides.
pub(super) fn decide(sure: &Sureness, task: Task, vetoes: &[String], model: &Model) -> Decision {
    let least = AUTO.0.max(model.threshold(sure.group));
    let auto = sure.probability >= least && sure.margin >= AUTO.1;
    let review = match task {
        Task::Drift { .. } => REVIEW_OF_DRIFT,
        _ => REVIEW,
    };
    // The first mapping onto canonical fields was measured as right in 98.3 % of what passes these
    // limits: not enough to be applied unseen.
    if auto && task != Task::Canonical && !sure.reused && vetoes.is_empty() {
        Decision::Auto
    } else if sure.probability >= review {
        Decision::Review
    } else {
        Decision::Shown
    }
}

/// Reasons against a decision without a person, as sentences.
pub(super) fn vetoes(
    features: &Features,
    names: (&Form, &Form),
    fields: (&FieldForms, &FieldForms),
    task: Task,
    known: &Concepts,
) -> Vec<String> {
    let of = |name: &str| f64::from(features[features::at(name).expect("it is a feature")]);
    let mut vetoes = Vec::new();
    if names.0.written.trim().is_empty() {
        vetoes.push("The field has no name. Give it one, or choose its target.".to_owned());
    }
    let conflict = of("conflict") >= 1.0;
    let same_records = of("aligned_eq") > 0.9 && !conflict;
    if of("exact_path") > 0.5 || same_records {
        return vetoes;
    }
    if conflict {
        vetoes.push(conflict_sentence(names, known));
    }
    vetoes.extend(qualifier_sentences(names, known));
    let same_name = of("exact_last") > 0.5;
    if of("imp_bad_s") >= 0.8 && !same_name {
        let what = names.1.implied.map_or("such a field", |it| it.words());
        vetoes.push(format!(
            "Most values of `{}` are not those of {what}. Look at the values.",
            fields.0.name().written
        ));
    }
    if of("has_vals") > 0.5 && of("fmt_cos") < 0.2 && !same_name {
        vetoes.push("The values of the two look different. Compare them.".to_owned());
    }
    if task == Task::Canonical && of("type_bad") >= 0.6 {
        vetoes.push("The types of the two do not fit. Choose how to convert it.".to_owned());
    }
    vetoes
}

fn conflict_sentence(names: (&Form, &Form), known: &Concepts) -> String {
    let (s, t) = (only(names.0, names.1), only(names.1, names.0));
    let mut pairs = s.iter().flat_map(|a| t.iter().map(move |b| (*a, *b)));
    let pair = pairs.find(|(a, b)| known.conflict(*a, *b));
    let words = pair.map(|(a, b)| format!("`{}` and `{}` are", known.text(a), known.text(b)));
    let words = words.unwrap_or_else(|| "The two names are".to_owned());
    format!("{words} different things. Choose the field that is meant.")
}

fn qualifier_sentences<'a>(
    names: (&'a Form, &'a Form),
    known: &'a Concepts,
) -> impl Iterator<Item = String> + 'a {
    let only = only(names.0, names.1)
        .into_iter()
        .chain(only(names.1, names.0));
    let strong = only.filter(|it| known.is_strong_qualifier(*it));
    strong.map(|it| {
        format!(
            "`{}` is only on one side. Check that the same is meant.",
            known.text(it)
        )
    })
}

fn only(of: &Form, other: &Form) -> Vec<u32> {
    let lacks = |it: &u32| !other.both_set.contains(it);
    of.both_set.iter().copied().filter(lacks).collect()
}
