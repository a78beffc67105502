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
