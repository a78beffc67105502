//! When a secret is read again.

use std::time::{Duration, Instant};

/// The shortest time between two readings that somebody forces, so that forged tokens cannot make
/// the source be asked for each of them.
pub(super) const FORCED_EVERY: Duration = Duration::from_secs(5);

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// When to read next. `jitter`, from 0 to 1, keeps many processes from asking at once.
#[derive(Debug)]
pub(super) struct Schedule {
    ttl: Duration,
    due: Option<Instant>,
    failures: u32,
    forced: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(ttl: Duration) -> Schedule {
        Schedule {
            ttl,
            due: None,
            failures: 0,
            forced: None,
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_none_or(|due| due <= now)
    }

    /// Whether a reading may be forced now, as none was shortly before.
    pub(super) fn force(&mut self, now: Instant) -> bool {
        let last = self.forced;
        let may = last.is_none_or(|it| FORCED_EVERY <= now.saturating_duration_since(it));
        if may {
            self.forced = Some(now);
        }
        may
    }

    /// A reading that began at `now` succeeded: the next one is due within a tenth of the time to
    /// live around it.
    pub(super) fn succeeded(&mut self, now: Instant, jitter: f64) {
        self.failures = 0;
        self.due = Some(now + self.ttl.mul_f64(0.9 + 0.2 * jitter));
    }

    /// A reading failed: twice the pause after each failure, and anything from half of it.
    pub(super) fn failed(&mut self, now: Instant, jitter: f64) {
        let pause = FIRST_RETRY * 2_u32.pow(self.failures.min(6));
        self.failures += 1;
        self.due = Some(now + pause.min(LAST_RETRY).mul_f64(0.5 + 0.5 * jitter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(300);

    fn check(outcomes: &str, jitter: f64, expected: &str) {
        let start = Instant::now();
        let mut now = start;
        let mut schedule = Schedule::new(TTL);
        let mut seconds = vec![];
        for outcome in outcomes.chars() {
            assert!(schedule.is_due(now), "{outcomes}");
            match outcome {
                's' => schedule.succeeded(now, jitter),
                _ => schedule.failed(now, jitter),
            }
            let due = schedule.due.unwrap();
            assert!(!schedule.is_due(due - Duration::from_millis(1)));
            seconds.push(format!("{}", (due - now).as_secs_f64()));
            now = due;
        }
        assert_eq!(seconds.join(" "), expected, "{outcomes} {jitter}");
    }

    #[test]
    fn it_is_read_again_around_the_time_to_live() {
        check("ss", 0.0, "270 270");
        check("ss", 0.5, "300 300");
        check("ss", 1.0, "330 330");
    }

    #[test]
    fn a_failure_is_tried_again_soon_and_then_more_seldom() {
        check("fffffffff", 1.0, "1 2 4 8 16 32 60 60 60");
        check("ffff", 0.0, "0.5 1 2 4");
        check("ffsf", 1.0, "1 2 330 1");
    }

    #[test]
    fn a_reading_is_forced_every_few_seconds_at_most() {
        let now = Instant::now();
        let mut schedule = Schedule::new(TTL);
        schedule.succeeded(now, 0.5);
        for (seconds, may) in [
            (0, true),
            (0, false),
            (4, false),
            (5, true),
            (9, false),
            (400, true),
        ] {
            let then = now + Duration::from_secs(seconds);
            assert_eq!(schedule.force(then), may, "{seconds}");
        }
    }
}
