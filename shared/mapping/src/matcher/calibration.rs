//! A logit becomes a probability that was counted.

use super::question::Task;

/// Populations with a calibration of their own: a pair of equal names and one of different names
/// that have the same logit are not right equally often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    kind: usize,
    same_name: bool,
}

const KINDS: [&str; 4] = ["mapping", "canonical", "drift", "reused"];

impl Group {
    pub(super) fn new(task: Task, same_name: bool, reused: bool) -> Group {
        let kind = match task {
            _ if reused => 3,
            Task::Mapping => 0,
            Task::Canonical => 1,
            Task::Drift { .. } => 2,
        };
        Group { kind, same_name }
    }

    pub(super) fn all() -> [Group; 8] {
        std::array::from_fn(|it| Group {
            kind: it / 2,
            same_name: it % 2 == 0,
        })
    }

    pub(super) fn index(self) -> usize {
        self.kind * 2 + usize::from(!self.same_name)
    }

    /// As the model's file names it: `drift other`.
    pub(super) fn name(self) -> String {
        let names = if self.same_name { "same" } else { "other" };
        format!("{} {names}", KINDS[self.kind])
    }
}

/// Pairs of logit and probability, with straight lines between them.
#[derive(Debug)]
pub(super) struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// The knots ascend in both.
    pub(super) fn new(knots: Vec<(f64, f64)>) -> Result<Curve, String> {
        let ascends = knots
            .windows(2)
            .all(|it| it[0].0 <= it[1].0 && it[0].1 <= it[1].1);
        let shares = knots.iter().all(|it| (0.0..=1.0).contains(&it.1));
        if knots.is_empty() || !ascends || !shares {
            return Err("a calibration does not ascend".to_owned());
        }
        Ok(Curve(knots))
    }

    pub(super) fn probability(&self, logit: f64) -> f64 {
        let after = self.0.partition_point(|it| it.0 < logit);
        if after == 0 {
            return self.0[0].1;
        }
        let Some(next) = self.0.get(after) else {
            return self.0[after - 1].1;
        };
        let last = self.0[after - 1];
        last.1 + (next.1 - last.1) * (logit - last.0) / (next.0 - last.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_knots_runs_a_straight_line() {
        let curve = Curve::new(vec![(-1.0, 0.1), (1.0, 0.5), (1.0, 0.6), (3.0, 0.8)]).unwrap();
        for (logit, want) in [(-9.0, 0.1), (0.0, 0.3), (1.0, 0.5), (2.0, 0.7), (9.0, 0.8)] {
            assert!((curve.probability(logit) - want).abs() < 1e-12, "{logit}");
        }
        assert!(Curve::new(vec![(0.0, 0.5), (1.0, 0.4)]).is_err());
        assert!(Curve::new(vec![]).is_err());
    }

    #[test]
    fn every_group_has_its_index_and_its_name() {
        for (at, group) in Group::all().into_iter().enumerate() {
            assert_eq!(group.index(), at);
        }
        let drift = Task::Drift { aligned: false };
        assert_eq!(Group::new(drift, false, false).name(), "drift other");
        assert_eq!(Group::new(drift, true, true).name(), "reused same");
    }
}
