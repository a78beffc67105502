//! Audit entries of people who are not callers: they are just signing in or out.

use chrono::{DateTime, Utc};
use platform::audit::Entry;
use schema::UserId;

/// What a person did who has no token yet.
pub(crate) fn of(user: UserId, action: &'static str, object: String, now: DateTime<Utc>) -> Entry {
    Entry {
        at: now,
        actor: format!("user:{user}"),
        action,
        object,
        before: None,
        after: None,
    }
}
