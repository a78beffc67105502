//! Audit entries of people who are not callers: they are just signing in or out.

use chrono::{DateTime, Utc};
use platform::Platform;
use platform::audit::{Entry, Signer};
use schema::UserId;

/// What a person did who has no token yet.
pub(crate) async fn of(
    platform: &Platform,
    user: UserId,
    what: (&'static str, String),
    now: DateTime<Utc>,
) -> schema::Result<Entry> {
    let signer = Signer::of(&platform.secrets).await?;
    Ok(Entry::of(signer, format!("user:{user}"), what, now))
}
