//! Counters of this process alone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

use crate::quota::gcra::{Admission, Rate};

/// After so many requests the keys are forgotten that have their whole quota again: whoever signs
/// in chooses the key, so without it the memory would grow as long as somebody makes up addresses.
pub(super) const SWEPT_EVERY: u32 = 4096;

const NO_PANIC: &str = "nothing panics while it is held";

/// Arrivals by key.
pub(super) struct Memory {
    start: Instant,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    arrivals: HashMap<String, u64>,
    counted: u32,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory {
            start: Instant::now(),
            buckets: Mutex::default(),
        }
    }

    pub(super) fn count(&self, key: &str, rate: Rate) -> Admission {
        let now = self.now();
        let mut buckets = self.buckets.lock().expect(NO_PANIC);
        buckets.counted = buckets.counted.wrapping_add(1);
        if buckets.counted.is_multiple_of(SWEPT_EVERY) {
            buckets.arrivals.retain(|_, arrival| *arrival > now);
        }
        let arrival = buckets.arrivals.get(key).copied().unwrap_or_default();
        let (next, outcome) = rate.count(arrival, now);
        buckets.arrivals.insert(key.to_owned(), next);
        outcome
    }

    pub(super) fn give_back(&self, key: &str, rate: Rate) {
        let mut buckets = self.buckets.lock().expect(NO_PANIC);
        if let Some(arrival) = buckets.arrivals.get_mut(key) {
            *arrival = arrival.saturating_sub(rate.period);
        }
    }

    pub(super) fn clear(&self, key: &str) {
        self.buckets.lock().expect(NO_PANIC).arrivals.remove(key);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::quota;

    #[test]
    fn made_up_keys_do_not_pile_up() {
        let memory = Memory::new();
        // One request is forgotten within a microsecond.
        let fast = Rate::from(quota(60_000_000, 1));
        for key in 0..3 * SWEPT_EVERY {
            assert!(memory.count(&key.to_string(), fast).allowed);
        }
        let buckets = memory.buckets.lock().unwrap().arrivals.len();
        assert!(buckets <= SWEPT_EVERY as usize, "{buckets} keys");
    }
}
