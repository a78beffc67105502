//! Values that are worth knowing a moment late, refreshed while the old one is still served
//! (stale-while-revalidate, RFC 5861).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Cache;

/// How old it may be before it is read again.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// How long it stands in while somebody reads it again.
const TTL: Duration = Duration::from_secs(3);

#[derive(Serialize, Deserialize)]
struct Cached<T> {
    value: T,
    since: DateTime<Utc>,
}

impl Cache {
    /// The value that is cached under the name, else what `read` finds, which is then cached.
    ///
    /// Whoever finds it stale reads it again; those who come meanwhile take what is there, so
    /// that many requests at once do not all count the same rows.
    ///
    /// # Errors
    /// Those of `read`. A cache that is away is a miss.
    pub async fn get_or_refresh<T, E>(
        &self,
        name: String,
        now: DateTime<Utc>,
        read: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
    {
        let cached = self.get(&name).await;
        if let Some(cached) = cached.and_then(|it| serde_json::from_slice::<Cached<T>>(&it).ok()) {
            if now - cached.since < FRESH {
                return Ok(cached.value);
            }
            put(self, &name, &cached.value, now).await;
        }
        let value = read().await?;
        put(self, &name, &value, now).await;
        Ok(value)
    }
}

async fn put<T: Serialize>(cache: &Cache, name: &str, value: &T, since: DateTime<Utc>) {
    let cached = Cached { value, since };
    let bytes = serde_json::to_vec(&cached).expect("plain data");
    cache.put(name.to_owned(), bytes, TTL).await;
}
