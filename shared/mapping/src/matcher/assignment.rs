//! Which candidate each target gets.

use super::candidates::Candidate;
use super::question::Task;

/// A further target gets a source again from this logit on,
const LEAST_FOR_REUSE: f64 = -3.5;
/// and only if it is so much better than the best source that is left.
const GAIN_OF_REUSE: f64 = 1.0;

/// A target's candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) candidate: usize,
    /// Whether another target has the same source.
    pub(super) reused: bool,
}

/// By target: the best pairs first, each source once. In a mapping a source may then feed further
/// targets that have nothing as good, and but for canonical fields those that have nothing.
/// Sorting makes it n log n in the number of candidates.
pub(super) fn assign(
    candidates: &[Candidate],
    logits: &[f64],
    counts: (usize, usize),
    task: Task,
) -> Vec<Option<Assigned>> {
    let mut order: Vec<_> = (0..candidates.len()).collect();
    // Equal logits: the order of the fields decides, so that the answer is the same each time.
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    let mut taken = vec![false; counts.0];
    let mut assigned = vec![None; counts.1];
    for &at in &order {
        let it = &candidates[at];
        if assigned[it.target].is_none() && !taken[it.source] {
            taken[it.source] = true;
            assigned[it.target] = Some(Assigned {
                candidate: at,
                reused: false,
            });
        }
    }
    if task != Task::Canonical {
        reuse(candidates, logits, &order, &mut assigned, task);
    }
    assigned
}

fn reuse(
    candidates: &[Candidate],
    logits: &[f64],
    order: &[usize],
    assigned: &mut [Option<Assigned>],
    task: Task,
) {
    let mut seen = vec![false; assigned.len()];
    for &at in order {
        // The first in the order is the target's best.
        let target = candidates[at].target;
        if std::mem::replace(&mut seen[target], true) {
            continue;
        }
        let left = assigned[target].map_or(f64::NEG_INFINITY, |it| logits[it.candidate]);
        // A target that nothing is left for gets its best in any case: it may be looked at.
        let nothing_left = left == f64::NEG_INFINITY;
        let better = logits[at] > LEAST_FOR_REUSE && logits[at] >= left + GAIN_OF_REUSE;
        if nothing_left || task == Task::Mapping && better {
            assigned[target] = Some(Assigned {
                candidate: at,
                reused: true,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::features;
    use super::*;

    fn check(task: Task, logits: &[(usize, usize, f64)], want: &[Option<(usize, bool)>]) {
        let candidate = |it: &(usize, usize, f64)| Candidate {
            source: it.0,
            target: it.1,
            features: [0.0; features::COUNT],
            logit: it.2,
            names: (0, 0),
        };
        let candidates: Vec<_> = logits.iter().map(candidate).collect();
        let scores: Vec<_> = logits.iter().map(|it| it.2).collect();
        let got: Vec<_> = assign(&candidates, &scores, (3, want.len()), task)
            .into_iter()
            .map(|it| it.map(|it| (candidates[it.candidate].source, it.reused)))
            .collect();
        assert_eq!(got, want);
    }

    #[test]
    fn the_best_pairs_come_first_and_a_source_is_taken_once() {
        let logits = [
            (0, 0, 3.0),
            (0, 1, 2.0),
            (1, 0, 2.5),
            (1, 1, 1.5),
            (2, 2, -9.0),
        ];
        let once = [Some((0, false)), Some((1, false)), Some((2, false)), None];
        check(Task::Canonical, &logits, &once);
        check(Task::Mapping, &logits, &once);
    }

    #[test]
    fn in_a_mapping_a_source_feeds_a_second_target_that_has_nothing_as_good() {
        let logits = [(0, 0, 3.0), (0, 1, 2.0), (1, 1, 0.5)];
        check(Task::Mapping, &logits, &[Some((0, false)), Some((0, true))]);
        check(
            Task::Canonical,
            &logits,
            &[Some((0, false)), Some((1, false))],
        );
        let unlikely = [(0, 0, 3.0), (0, 1, -4.0), (1, 1, -6.0)];
        let apart = [Some((0, false)), Some((1, false))];
        check(Task::Mapping, &unlikely, &apart);
    }

    #[test]
    fn a_target_that_nothing_is_left_for_gets_its_best_unless_it_is_canonical() {
        let logits = [(0, 0, 3.0), (0, 1, -4.0)];
        let both = [Some((0, false)), Some((0, true))];
        check(Task::Mapping, &logits, &both);
        check(Task::Drift { aligned: false }, &logits, &both);
        check(Task::Canonical, &logits, &[Some((0, false)), None]);
    }
}
