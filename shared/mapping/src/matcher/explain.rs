//! Why a pair has its probability: the logit, booked to groups of evidence.

use std::sync::LazyLock;

use super::context::{self, Row};
use super::features;
use super::model::Model;

/// A group of evidence and what it brings.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Factor {
    /// What it is, for a reader: `the names are equal`.
    pub evidence: &'static str,
    /// By how much it raises (or lowers) the logit. All factors of a pair add up to its logit.
    pub logit: f64,
}

/// Groups in the order in which they are shown, and the columns that belong to each. What no
/// other group has belongs to the first.
const GROUPS: [(&str, &str); 11] = [
    ("where every pair starts", ""),
    ("equal names", "exact_last exact_full exact_path"),
    (
        "the meaning of the names",
        "concept_eq wjac cov_t cov_s lcov_t lcov_s head_eq head_sim nonent_cov ent_eq idf_common \
         cov_weak_t order_diff path_jac path_eq ent_id leaf_s leaf_t",
    ),
    (
        "words that only one name has",
        "rest_s rest_t path_rest_s path_rest_t qual_s qual_t strongq_s strongq_t conflict",
    ),
    ("the spelling", "tri jw contain acro"),
    (
        "the place in the record",
        "depth_s depth_d list_mis par_sim pos_diff single_t t_generic s_generic src_isid",
    ),
    ("the types", "type_ok type_bad"),
    (
        "the format of the values",
        "fmt_cos imp_eq imp_ok_s imp_bad_s imp_ok_t imp_bad_t",
    ),
    (
        "the values",
        "has_vals len_diff cc_sim vjac vtok num_q dist_d null_d",
    ),
    ("equal values in the same records", "aligned_eq aligned_on"),
    (
        "the other candidates",
        "row_margin col_margin row_rank col_rank best_in_row best_in_col mutual share n_src n_tgt \
         exact_elsewhere_t exact_elsewhere_s drift",
    ),
];

/// The group of each column of a row.
static OF_COLUMN: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let columns = context::NAMES.iter().chain(&features::NAMES);
    columns.map(|it| group(it)).collect()
});

/// What earlier decisions of the tenant bring.
const DECISIONS: &str = "your earlier decisions";

/// The second stage's logit, booked: what it takes from the first stage's logit is shared out as
/// the first stage booked that.
pub(super) fn factors(row: &Row, decisions: f64, model: &Model) -> Vec<Factor> {
    let mut second = [0.0; GROUPS.len()];
    let mut through_first = 0.0;
    second[0] += model.second.explain(row, |column, part| match column {
        0 => through_first += part,
        _ => second[OF_COLUMN[column]] += part,
    });
    let mut first = [0.0; GROUPS.len()];
    first[0] += model.first.explain(&row[context::COUNT..], |column, part| {
        first[OF_COLUMN[context::COUNT + column]] += part;
    });
    let size: f64 = first.iter().map(|it| it.abs()).sum();
    let logit: f64 = first.iter().sum();
    // In proportion; where the parts nearly cancel out, by the size of the rest.
    let share = |part: f64| {
        if logit.abs() * 4.0 >= size {
            through_first * part / logit
        } else {
            through_first * part.abs() / size.max(1e-9)
        }
    };
    let mut factors: Vec<_> = GROUPS
        .iter()
        .zip(second.iter().zip(&first))
        .map(|(group, (second, first))| Factor {
            evidence: group.0,
            logit: second + share(*first),
        })
        .collect();
    factors.push(Factor {
        evidence: DECISIONS,
        logit: decisions,
    });
    factors.retain(|it| it.logit.abs() >= 1e-3);
    factors
}

fn group(column: &str) -> usize {
    let has = |it: &(&str, &str)| it.1.split_whitespace().any(|name| name == column);
    GROUPS.iter().position(has).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_belongs_to_a_group() {
        for column in context::NAMES.iter().chain(&features::NAMES).skip(1) {
            assert_ne!(group(column), 0, "{column}");
        }
    }
}
