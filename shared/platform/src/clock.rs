//! The clock. Only handlers, workers and consumers read it: a core takes time as an argument.

use chrono::{DateTime, SubsecRound, Utc};

/// The time now, to the microsecond, as the database keeps it: what was written reads back equal.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_has_nothing_that_the_database_would_drop() {
        assert_eq!(now().timestamp_subsec_nanos() % 1000, 0);
    }
}
