//! The algorithm over plain numbers, in microseconds: of each key one time is kept, at which its
//! whole quota will be there again.

use super::Quota;

/// A quota as the algorithm takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// What one request costs.
    pub(crate) period: u64,
    /// How far ahead of now the arrival may be for one more request.
    pub(crate) tolerance: u64,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Admission {
    pub(crate) allowed: bool,
    /// How far the arrival is ahead of now, this request counted.
    pub(crate) ahead: u64,
}

impl From<Quota> for Rate {
    fn from(quota: Quota) -> Rate {
        let period = (60_000_000 / u64::from(quota.per_minute.get())).max(1);
        Rate {
            period,
            tolerance: period * u64::from(quota.burst.get() - 1),
        }
    }
}

impl Rate {
    /// Counts one request at `now` under a key with this arrival: the next arrival where it is
    /// allowed, the same where it is not.
    pub(crate) fn count(self, arrival: u64, now: u64) -> (u64, Admission) {
        let from = arrival.max(now);
        let allowed = from - now <= self.tolerance;
        let next = if allowed { from + self.period } else { from };
        let ahead = next - now;
        (next, Admission { allowed, ahead })
    }

    /// How many requests more would be allowed at once.
    pub(crate) fn remaining(self, ahead: u64) -> u32 {
        let left = (self.tolerance + self.period).saturating_sub(ahead) / self.period;
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::quota;
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_a_period() {
        let rate = Rate::from(quota(60, 3));
        let mut arrival = 0;
        let mut count = |now: u64| {
            let (next, outcome) = rate.count(arrival, now);
            arrival = next;
            (outcome.allowed, rate.remaining(outcome.ahead))
        };
        let start = 5_000_000;
        assert_eq!(
            [0, 0, 0, 0, 0].map(|it| count(start + it)),
            [(true, 2), (true, 1), (true, 0), (false, 0), (false, 0)]
        );
        assert_eq!(count(start + 999_999), (false, 0));
        assert_eq!(count(start + 1_000_000), (true, 0));
        assert_eq!(count(start + 10_000_000), (true, 2));
    }

    #[test]
    fn no_quota_is_without_a_period() {
        let rate = Rate::from(quota(u32::MAX, u32::MAX));
        assert_eq!(rate.period, 1);
        assert!(rate.count(0, 1).1.allowed);
    }
}
