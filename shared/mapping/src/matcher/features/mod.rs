//! The features of a pair of fields, which the model weighs.

mod names;
mod values;

pub(super) use values::cosine_of_formats;

use super::concepts::Concepts;
use super::form::{FieldForms, Form};

/// What each feature is called in the model's file, in the order of [`Features`].
pub(super) const NAMES: [&str; COUNT] = [
    "exact_last",
    "exact_full",
    "concept_eq",
    "wjac",
    "cov_t",
    "cov_s",
    "lcov_t",
    "lcov_s",
    "tri",
    "jw",
    "contain",
    "head_eq",
    "head_sim",
    "conflict",
    "qual_s",
    "qual_t",
    "rest_s",
    "rest_t",
    "acro",
    "ent_eq",
    "nonent_cov",
    "depth_s",
    "depth_d",
    "list_mis",
    "order_diff",
    "single_t",
    "type_ok",
    "type_bad",
    "has_vals",
    "fmt_cos",
    "imp_eq",
    "imp_ok_s",
    "imp_bad_s",
    "imp_ok_t",
    "imp_bad_t",
    "len_diff",
    "cc_sim",
    "vjac",
    "vtok",
    "num_q",
    "dist_d",
    "null_d",
    "aligned_eq",
    "aligned_on",
    "pos_diff",
    "t_generic",
    "s_generic",
    "cov_weak_t",
    "idf_common",
    "par_sim",
    "src_isid",
    "exact_path",
    "path_jac",
    "path_rest_s",
    "path_rest_t",
    "strongq_s",
    "strongq_t",
    "leaf_s",
    "leaf_t",
    "path_eq",
    "ent_id",
];

/// How many features a pair has.
pub(super) const COUNT: usize = 61;

/// The features of one pair.
pub(super) type Features = [f32; COUNT];

/// The position of a feature.
pub(super) fn at(name: &str) -> Option<usize> {
    NAMES.iter().position(|it| *it == name)
}

/// The best pair of names of a source and a target.
pub(super) struct Pair<'a> {
    pub(super) features: Features,
    pub(super) source: &'a Form,
    pub(super) target: &'a Form,
}

/// Of all names that the two have, those that agree best count.
pub(super) fn of_pair<'a>(
    source: &'a FieldForms,
    target: &'a FieldForms,
    aligned: bool,
    known: &Concepts,
) -> Pair<'a> {
    let values = values::of(source, target, aligned);
    let mut best: Option<(f64, names::Names, &Form, &Form)> = None;
    for target in &target.forms {
        for source in &source.forms {
            let names = names::of(source, target, known);
            let agreement = names.agreement();
            if best.as_ref().is_none_or(|it| agreement > it.0 + 1e-9) {
                best = Some((agreement, names, source, target));
            }
        }
    }
    let (_, names, of_source, of_target) = best.expect("a field has a name");
    let implied = values::of_implied(source, target, of_source.implied, of_target.implied);
    let first = names.first_columns().into_iter();
    let columns = first
        .chain(values::of_types(source, target))
        .chain(values.columns(&implied))
        .chain([(source.place - target.place).abs()])
        .chain(names.last_columns());
    let mut features = [0.0; COUNT];
    for (feature, column) in features.iter_mut().zip(columns) {
        *feature = column as f32;
    }
    Pair {
        features,
        source: of_source,
        target: of_target,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;

    use super::*;
    use crate::matcher::question::Field;
    use schema::source::SourceType;

    #[derive(Deserialize)]
    struct Fixture {
        sources: Vec<FixtureField>,
        targets: Vec<FixtureField>,
        pairs: Vec<(usize, usize, Vec<f32>)>,
    }

    #[derive(Deserialize)]
    struct FixtureField {
        name: String,
        r#type: String,
        samples: Vec<String>,
        rows: u64,
        nulls: u64,
    }

    fn field(it: &FixtureField) -> Field {
        Field {
            name: it.name.clone(),
            kind: match it.r#type.as_str() {
                "integer" => Some(SourceType::Integer),
                "number" => Some(SourceType::Decimal),
                "timestamp" => Some(SourceType::Timestamp),
                _ => Some(SourceType::Text),
            },
            samples: it.samples.clone(),
            rows: it.rows,
            nulls: it.nulls,
            ..Field::default()
        }
    }

    /// The values come from the Python program that the model was first made with.
    #[test]
    fn features_are_those_that_the_model_learnt_from() {
        let fixture = include_str!("../fixtures/features.json");
        let fixture: Fixture = serde_json::from_str(fixture).unwrap();
        let mut known = Concepts::new();
        let entity = BTreeSet::from([known.number("wombat")]);
        let mut forms = |of: &[FixtureField]| -> Vec<FieldForms> {
            let place = |at: usize| at as f64 / (of.len() - 1) as f64;
            let all = of.iter().enumerate();
            all.map(|(at, it)| FieldForms::of(&field(it), place(at), &entity, &mut known, 100))
                .collect()
        };
        let (sources, targets) = (forms(&fixture.sources), forms(&fixture.targets));
        for (source, target, want) in fixture.pairs {
            let got = of_pair(&sources[source], &targets[target], true, &known).features;
            assert_eq!(want.len(), COUNT);
            for (at, want) in want.into_iter().enumerate() {
                let close = (got[at] - want).abs() < 1e-4;
                assert!(close, "{source}-{target} {}: {} {want}", NAMES[at], got[at]);
            }
        }
    }
}
