//! What the rivals of a pair say: the second half of the second stage's row.

use super::candidates::Candidate;
use super::features;

/// What each column is called, before the features of the pair.
pub(super) const NAMES: [&str; COUNT] = [
    "z1",
    "row_margin",
    "col_margin",
    "row_rank",
    "col_rank",
    "best_in_row",
    "best_in_col",
    "mutual",
    "share",
    "n_src",
    "n_tgt",
    "exact_elsewhere_t",
    "exact_elsewhere_s",
    "drift",
];

/// How many columns the context has.
pub(super) const COUNT: usize = 14;

/// The context, then the features.
pub(super) type Row = [f32; COUNT + features::COUNT];

/// Rivals farther away than this say nothing more.
const FAR: f64 = 12.0;

/// The position of a column of a [`Row`].
pub(super) fn at(name: &str) -> Option<usize> {
    let context = NAMES.iter().position(|it| *it == name);
    context.or_else(|| Some(COUNT + features::at(name)?))
}

/// What is known of the rivals of one field.
#[derive(Clone, Copy)]
struct Rivals {
    best: f64,
    second: f64,
    exact: usize,
    /// The sum of exp(logit).
    mass: f64,
}

const NO_RIVALS: Rivals = Rivals {
    best: f64::NEG_INFINITY,
    second: f64::NEG_INFINITY,
    exact: 0,
    mass: 0.0,
};

impl Rivals {
    fn add(&mut self, logit: f64, exact: bool) {
        if logit > self.best {
            self.second = self.best;
            self.best = logit;
        } else {
            self.second = self.second.max(logit);
        }
        self.exact += usize::from(exact);
        self.mass += logit.exp();
    }

    /// How far the logit is above the best of the others.
    fn margin(&self, logit: f64) -> f64 {
        let rival = if logit == self.best {
            self.second
        } else {
            self.best
        };
        (logit - rival).clamp(-FAR, FAR)
    }
}

/// The rows of the second stage, one for each candidate. `counts` are those of sources and targets.
pub(super) fn rows(candidates: &[Candidate], counts: (usize, usize), drift: bool) -> Vec<Row> {
    let exact_at = features::at("exact_last").expect("it is a feature");
    let exact = |it: &Candidate| it.features[exact_at] > 0.5;
    let mut of_source = vec![NO_RIVALS; counts.0];
    let mut of_target = vec![NO_RIVALS; counts.1];
    for it in candidates {
        of_source[it.source].add(it.logit, exact(it));
        of_target[it.target].add(it.logit, exact(it));
    }
    let by_source = ranks(candidates, counts.0, |it| it.source);
    let by_target = ranks(candidates, counts.1, |it| it.target);
    let row = |(at, it): (usize, &Candidate)| {
        let (source, target) = (of_source[it.source], of_target[it.target]);
        let (best_source, best_target) = (it.logit >= source.best, it.logit >= target.best);
        let own = usize::from(exact(it));
        let context = [
            it.logit,
            source.margin(it.logit),
            target.margin(it.logit),
            by_source[at],
            by_target[at],
            truth(best_source),
            truth(best_target),
            truth(best_source && best_target),
            it.logit.exp() / target.mass,
            (counts.0 as f64).ln_1p(),
            (counts.1 as f64).ln_1p(),
            (target.exact - own).min(3) as f64,
            (source.exact - own).min(3) as f64,
            truth(drift),
        ];
        let mut row = [0.0; COUNT + features::COUNT];
        for (to, from) in row.iter_mut().zip(context) {
            *to = from as f32;
        }
        row[COUNT..].copy_from_slice(&it.features);
        row
    };
    candidates.iter().enumerate().map(row).collect()
}

/// How many candidates of the same field are better, at most ten.
fn ranks(candidates: &[Candidate], count: usize, field: impl Fn(&Candidate) -> usize) -> Vec<f64> {
    let mut of_field = vec![Vec::new(); count];
    for (at, it) in candidates.iter().enumerate() {
        of_field[field(it)].push(at);
    }
    let mut ranks = vec![0.0; candidates.len()];
    for mut all in of_field {
        all.sort_by(|a, b| candidates[*b].logit.total_cmp(&candidates[*a].logit));
        for (rank, at) in all.into_iter().enumerate() {
            ranks[at] = rank.min(10) as f64;
        }
    }
    ranks
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}
