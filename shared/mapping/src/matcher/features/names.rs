//! What two names have in common.

use crate::matcher::concepts::{Concept, Concepts};
use crate::matcher::form::Form;
use crate::matcher::spelling::jaro_winkler;

/// The features of two names.
pub(super) struct Names {
    exact_last: f64,
    exact_full: f64,
    concept_eq: f64,
    wjac: f64,
    cov_t: f64,
    cov_s: f64,
    lcov_t: f64,
    lcov_s: f64,
    tri: f64,
    jw: f64,
    contain: f64,
    head_eq: f64,
    head_sim: f64,
    conflict: f64,
    qual_s: f64,
    qual_t: f64,
    rest_s: f64,
    rest_t: f64,
    acro: f64,
    ent_eq: f64,
    nonent_cov: f64,
    depth_s: f64,
    depth_d: f64,
    list_mis: f64,
    order_diff: f64,
    single_t: f64,
    t_generic: f64,
    s_generic: f64,
    cov_weak_t: f64,
    idf_common: f64,
    par_sim: f64,
    src_isid: f64,
    exact_path: f64,
    path_jac: f64,
    path_rest_s: f64,
    path_rest_t: f64,
    strongq_s: f64,
    strongq_t: f64,
    leaf_s: f64,
    leaf_t: f64,
    path_eq: f64,
    ent_id: f64,
}

impl Names {
    /// How well the names agree, to choose among several names of one field.
    pub(super) fn agreement(&self) -> f64 {
        self.exact_last * 3.0
            + self.concept_eq * 3.0
            + self.ent_eq * 2.0
            + self.wjac * 2.0
            + self.nonent_cov
            + self.cov_t
            + self.cov_s
            - 0.3 * (self.qual_t + self.rest_s) / 6.0
            - self.conflict
            - 0.3 * self.qual_s
    }

    /// The columns that come first.
    pub(super) fn first_columns(&self) -> [f64; 26] {
        [
            self.exact_last,
            self.exact_full,
            self.concept_eq,
            self.wjac,
            self.cov_t,
            self.cov_s,
            self.lcov_t,
            self.lcov_s,
            self.tri,
            self.jw,
            self.contain,
            self.head_eq,
            self.head_sim,
            self.conflict,
            self.qual_s,
            self.qual_t,
            self.rest_s,
            self.rest_t,
            self.acro,
            self.ent_eq,
            self.nonent_cov,
            self.depth_s,
            self.depth_d,
            self.list_mis,
            self.order_diff,
            self.single_t,
        ]
    }

    /// The columns that come last.
    pub(super) fn last_columns(&self) -> [f64; 16] {
        [
            self.t_generic,
            self.s_generic,
            self.cov_weak_t,
            self.idf_common,
            self.par_sim,
            self.src_isid,
            self.exact_path,
            self.path_jac,
            self.path_rest_s,
            self.path_rest_t,
            self.strongq_s,
            self.strongq_t,
            self.leaf_s,
            self.leaf_t,
            self.path_eq,
            self.ent_id,
        ]
    }
}

/// Compares two names.
pub(super) fn of(s: &Form, t: &Form, known: &Concepts) -> Names {
    let only_s = without(&s.both_set, &t.both_set);
    let only_t = without(&t.both_set, &s.both_set);
    let rest_s = unmatched(&only_s, &only_t, known);
    let rest_t = unmatched(&only_t, &only_s, known);
    let common: Vec<_> = intersection(&s.both_set, &t.both_set).collect();
    let common_weight = known.weight(&common);
    let all_weight = common_weight + known.weight(only_s.iter().chain(&only_t));
    let head_sim = s.head().zip(t.head());
    let head_sim = head_sim.map_or(0.0, |(a, b)| known.similarity(a, b));
    let [path_jac, path_rest_s, path_rest_t] = paths(s, t, known);
    let count = |of: &[Concept], holds: &dyn Fn(Concept) -> bool| {
        of.iter().filter(|it| holds(**it)).count().min(3) as f64
    };
    let strong = |of: &[Concept]| truth(of.iter().any(|it| known.is_strong_qualifier(*it)));
    Names {
        exact_last: truth(s.glued == t.glued),
        exact_full: truth(s.glued_both == t.glued_both),
        concept_eq: truth(s.both_set == t.both_set),
        wjac: common_weight / all_weight.max(1e-9),
        cov_t: known.coverage(&t.both_set, &s.both_set),
        cov_s: known.coverage(&s.both_set, &t.both_set),
        lcov_t: known.coverage(&t.last_set, &s.last_set),
        lcov_s: known.coverage(&s.last_set, &t.last_set),
        tri: s.trigrams.cosine(&t.trigrams),
        jw: jaro_winkler(&s.glued, &t.glued),
        contain: containment(&s.glued, &t.glued),
        head_eq: truth(head_sim == 1.0),
        head_sim,
        conflict: conflicts(&only_s, &only_t, known),
        qual_s: count(&rest_s, &|it| known.is_qualifier(it)),
        qual_t: count(&rest_t, &|it| known.is_qualifier(it)),
        rest_s: known.weight(&rest_s).min(12.0),
        rest_t: known.weight(&rest_t).min(12.0),
        acro: truth(is_acronym(s, t) || is_acronym(t, s)),
        ent_eq: truth(s.own_set == t.own_set),
        nonent_cov: both_ways(&s.own_set, &t.own_set, known),
        depth_s: s.depth.min(3) as f64,
        depth_d: s.depth.abs_diff(t.depth).min(3) as f64,
        list_mis: truth(s.in_list != t.in_list),
        order_diff: truth(s.last_set == t.last_set && s.last != t.last),
        single_t: truth(t.both.len() == 1),
        t_generic: truth(t.both.len() == 1 && t.head().is_some_and(|it| known.is_generic(it))),
        s_generic: truth(s.last.len() == 1 && s.head().is_some_and(|it| known.is_generic(it))),
        cov_weak_t: known.coverage(&t.last_set, &s.both_set),
        idf_common: common_weight.min(12.0),
        par_sim: parents(s, t),
        src_isid: truth(s.head() == Some(Concepts::ID)),
        exact_path: truth(s.glued_path == t.glued_path),
        path_jac,
        path_rest_s,
        path_rest_t,
        strongq_s: strong(&only_s),
        strongq_t: strong(&only_t),
        leaf_s: truth(is_leaf_of(s, t, known)),
        leaf_t: truth(is_leaf_of(t, s, known)),
        path_eq: truth(s.path_set == t.path_set),
        ent_id: truth(s.parent.is_empty() && (is_own_id(s, t) || is_own_id(t, s))),
    }
}

fn both_ways(a: &[Concept], b: &[Concept], known: &Concepts) -> f64 {
    (known.coverage(b, a) + known.coverage(a, b)) / 2.0
}

/// Concepts without a counterpart that is at least half alike.
fn unmatched(of: &[Concept], others: &[Concept], known: &Concepts) -> Vec<Concept> {
    let alone = |it: &Concept| {
        others
            .iter()
            .all(|other| known.similarity(*it, *other) < 0.5)
    };
    of.iter().copied().filter(alone).collect()
}

fn conflicts(only_s: &[Concept], only_t: &[Concept], known: &Concepts) -> f64 {
    let pairs = only_s
        .iter()
        .flat_map(|a| only_t.iter().map(move |b| (*a, *b)));
    pairs
        .filter(|(a, b)| known.conflict(*a, *b))
        .take(3)
        .count() as f64
}

/// The length of the shorter as a share of the longer that contains it.
fn containment(a: &str, b: &str) -> f64 {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let (short_length, long_length) = (short.chars().count(), long.chars().count());
    if short_length < 3 || !long.contains(short) {
        return 0.0;
    }
    short_length as f64 / long_length as f64
}

fn is_acronym(short: &Form, long: &Form) -> bool {
    long.last.len() >= 2 && short.glued.chars().count() <= 5 && short.glued == long.initials
}

fn parents(s: &Form, t: &Form) -> f64 {
    match (s.parent.is_empty(), t.parent.is_empty()) {
        (false, false) if s.parent_set == t.parent_set => 1.0,
        (false, false) => 0.0,
        (true, true) => 0.7,
        _ => 0.5,
    }
}

/// The share of concepts that the whole paths have in common, and what is left over on each side.
fn paths(s: &Form, t: &Form, known: &Concepts) -> [f64; 3] {
    let (only_s, only_t) = (
        without(&s.path_set, &t.path_set),
        without(&t.path_set, &s.path_set),
    );
    let common = s.path_set.len() - only_s.len();
    let all = common + only_s.len() + only_t.len();
    let rest = |of: &[Concept]| (known.weight(of) / 3.0).min(6.0);
    [
        common as f64 / all.max(1) as f64,
        rest(&only_s),
        rest(&only_t),
    ]
}

/// `status.name` is a leaf of `status`.
fn is_leaf_of(leaf: &Form, whole: &Form, known: &Concepts) -> bool {
    let named = leaf.head().is_some_and(|it| known.is_leaf(it));
    named
        && !leaf.parent.is_empty()
        && leaf.last.len() <= 2
        && (leaf.parent_set == whole.last_set
            || without(&leaf.path_set, &leaf.last_set) == whole.path_set)
}

/// `id` is `company_id` where the record is a company.
fn is_own_id(plain: &Form, long: &Form) -> bool {
    plain.last == [Concepts::ID]
        && long.head() == Some(Concepts::ID)
        && long.own_set == [Concepts::ID]
        && long.last.len() > 1
}

/// Those of a sorted set that the other lacks.
fn without(set: &[Concept], other: &[Concept]) -> Vec<Concept> {
    let lacks = |it: &Concept| !other.contains(it);
    set.iter().copied().filter(lacks).collect()
}

fn intersection<'a>(a: &'a [Concept], b: &'a [Concept]) -> impl Iterator<Item = Concept> + 'a {
    a.iter().copied().filter(|it| b.contains(it))
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
