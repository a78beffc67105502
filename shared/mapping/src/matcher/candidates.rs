//! Which pairs are looked at: for each target the sources that a cheap score ranks first.
//!
//! **Invariant:** the work is bounded. Up to [`ALL_PAIRS`] pairs are ranked one by one; of a larger
//! question only pairs that share a concept, a trigram or a name, found through an index of which
//! each entry names at most [`POSTINGS`] sources.

use std::collections::HashMap;
use std::hash::Hash;

use super::concepts::Concepts;
use super::features::{self, Features};
use super::form::{FieldForms, Form};
use super::profile::overlap;
use super::spelling::Trigram;

/// Sources that are compared with a target in full.
pub(super) const PER_TARGET: usize = 14;
/// The same where values are ranked, of which the cheap score knows less.
pub(super) const BY_VALUES: usize = 60;
const ALL_PAIRS: usize = 250_000;
const POSTINGS: usize = 64;

/// A pair that is looked at.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) source: usize,
    pub(super) target: usize,
    pub(super) features: Features,
    /// The first stage's.
    pub(super) logit: f64,
    /// Which names of the two agreed best, as positions in their forms.
    pub(super) names: (usize, usize),
}

impl Candidate {
    /// A feature by its name in the model's file.
    pub(super) fn of(&self, feature: &str) -> f32 {
        self.features[features::at(feature).expect("it is a feature")]
    }
}

/// The pairs that are worth a full comparison, by target, then source.
pub(super) fn pairs(
    sources: &[FieldForms],
    targets: &[FieldForms],
    known: &Concepts,
    per_target: usize,
) -> Vec<(usize, usize)> {
    if sources.len() <= per_target {
        let all = |target| (0..sources.len()).map(move |source| (source, target));
        return (0..targets.len()).flat_map(all).collect();
    }
    let index = (sources.len() * targets.len() > ALL_PAIRS).then(|| Index::of(sources));
    let mut pairs = Vec::with_capacity(targets.len() * per_target);
    for (at, target) in targets.iter().enumerate() {
        let near = match &index {
            Some(index) => index.near(target),
            None => (0..sources.len()).collect(),
        };
        let score = |it: usize| (likeness(&sources[it], target, known), it);
        let mut scored: Vec<_> = near.into_iter().map(score).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut best: Vec<_> = scored.iter().take(per_target).map(|it| it.1).collect();
        best.sort_unstable();
        pairs.extend(best.into_iter().map(|it| (it, at)));
    }
    pairs
}

/// Compares one pair in full.
pub(super) fn candidate(
    pair: (usize, usize),
    sources: &[FieldForms],
    targets: &[FieldForms],
    aligned: bool,
    known: &Concepts,
) -> Candidate {
    let (source, target) = pair;
    let (of_source, of_target) = (&sources[source], &targets[target]);
    let pair = features::of_pair(of_source, of_target, aligned, known);
    let at = |of: &FieldForms, it: &Form| of.forms.iter().position(|form| std::ptr::eq(form, it));
    Candidate {
        source,
        target,
        names: (
            at(of_source, pair.source).unwrap_or(0),
            at(of_target, pair.target).unwrap_or(0),
        ),
        features: pair.features,
        logit: 0.0,
    }
}

fn likeness(source: &FieldForms, target: &FieldForms, known: &Concepts) -> f64 {
    let names = source.forms.iter().flat_map(|s| {
        let forms = target.forms.iter();
        forms.map(move |t| likeness_of_names(s, t, known))
    });
    let mut likeness = names.fold(0.0, f64::max);
    if let (Some(p), Some(q)) = (&source.profile, &target.profile) {
        let format = features::cosine_of_formats(p, q);
        likeness += 0.5 * format;
        // Values of different formats are not equal.
        if format > 0.3 {
            likeness += overlap(&p.set, &q.set);
        }
    }
    likeness + if source.kind == target.kind { 0.2 } else { 0.0 }
}

fn likeness_of_names(s: &Form, t: &Form, known: &Concepts) -> f64 {
    let same = if s.glued == t.glued { 1.0 } else { 0.0 };
    let meaning =
        known.coverage(&t.both_set, &s.both_set) + known.coverage(&s.both_set, &t.both_set);
    let own = if s.own_set == t.own_set { 1.0 } else { 0.0 };
    let path = t
        .path_set
        .iter()
        .filter(|it| s.path_set.contains(it))
        .count();
    let path = path as f64 / t.path_set.len().max(s.path_set.len()).max(1) as f64;
    same + meaning + own + path + s.trigrams.cosine(&t.trigrams)
}

/// Sources by what their names contain.
#[derive(Default)]
struct Index<'a> {
    by_name: HashMap<&'a str, Vec<usize>>,
    by_concept: HashMap<u32, Vec<usize>>,
    by_trigram: HashMap<Trigram, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(sources: &'a [FieldForms]) -> Index<'a> {
        let mut index = Index::default();
        for (at, source) in sources.iter().enumerate() {
            for form in &source.forms {
                post(&mut index.by_name, form.glued.as_str(), at);
                for concept in &form.both_set {
                    post(&mut index.by_concept, *concept, at);
                }
                for trigram in form.trigrams.all() {
                    post(&mut index.by_trigram, trigram, at);
                }
            }
        }
        index
    }

    fn near(&self, target: &FieldForms) -> Vec<usize> {
        let mut near = Vec::new();
        for form in &target.forms {
            near.extend(self.by_name.get(form.glued.as_str()).into_iter().flatten());
            for concept in &form.both_set {
                near.extend(self.by_concept.get(concept).into_iter().flatten());
            }
            for trigram in form.trigrams.all() {
                near.extend(self.by_trigram.get(&trigram).into_iter().flatten());
            }
        }
        near.sort_unstable();
        near.dedup();
        near
    }
}

fn post<K: Hash + Eq>(index: &mut HashMap<K, Vec<usize>>, key: K, source: usize) {
    let sources = index.entry(key).or_default();
    if sources.len() < POSTINGS && sources.last() != Some(&source) {
        sources.push(source);
    }
}
