//! Audit entries of people who are not callers: they are just signing in or out.

use chrono::{DateTime, SubsecRound, Utc};
use platform::audit::Entry;
use schema::UserId;

/// What a person did who has no token yet.
pub(crate) fn of(user: UserId, action: &'static str, object: String, now: DateTime<Utc>) -> Entry {
    Entry {
        at: now.trunc_subsecs(6),
        actor: format!("user:{user}"),
        action,
        object,
        before: None,
        after: None,
    }
}
