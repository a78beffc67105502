//! What is worth knowing a moment late: it costs more than the page that it stands beside.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use platform::cache::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How old it may be before it is read again.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// How long it stands in while somebody reads it again.
const TTL: Duration = Duration::from_secs(3);

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    value: T,
    since: DateTime<Utc>,
}

/// What is kept under the name, else what `read` finds, which is then kept.
///
/// Whoever finds it stale reads it again; those who come meanwhile take what is there, so that
/// many requests at once do not all count the same rows.
pub(crate) async fn or_read<T, E>(
    cache: &Cache,
    name: String,
    now: DateTime<Utc>,
    read: impl AsyncFnOnce() -> Result<T, E>,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
{
    let kept = cache.get(&name).await;
    if let Some(kept) = kept.and_then(|it| serde_json::from_slice::<Kept<T>>(&it).ok()) {
        if now - kept.since < FRESH {
            return Ok(kept.value);
        }
        put(cache, &name, &kept.value, now).await;
    }
    let value = read().await?;
    put(cache, &name, &value, now).await;
    Ok(value)
}

async fn put<T: Serialize>(cache: &Cache, name: &str, value: &T, since: DateTime<Utc>) {
    #[derive(Serialize)]
    struct Borrowed<'a, T> {
        value: &'a T,
        since: DateTime<Utc>,
    }
    let bytes = serde_json::to_vec(&Borrowed { value, since }).expect("plain data");
    cache.put(name.to_owned(), bytes, TTL).await;
}
