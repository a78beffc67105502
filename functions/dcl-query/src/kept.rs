//! What is worth knowing a second late: it costs more than the page that it stands beside.

use std::time::Duration;

use platform::cache::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How old it may be.
const TTL: Duration = Duration::from_secs(1);

/// What is kept under the name, else what `read` finds, which is then kept.
pub(crate) async fn or_read<T, E>(
    cache: &Cache,
    name: String,
    read: impl AsyncFnOnce() -> Result<T, E>,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
{
    let kept = cache.get(&name).await;
    if let Some(value) = kept.and_then(|it| serde_json::from_slice(&it).ok()) {
        return Ok(value);
    }
    let value = read().await?;
    let bytes = serde_json::to_vec(&value).expect("plain data");
    cache.put(name, bytes, TTL).await;
    Ok(value)
}
