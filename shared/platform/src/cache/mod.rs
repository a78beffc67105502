//! A cache: Redis where it is configured, memory where it is not. Never the only home of
//! anything, so each failure is a miss.

mod refresh;

use std::time::{Duration, Instant};

use moka::Expiry;
use redis::AsyncCommands;

use crate::redis::ConnectionManager;

/// Bytes by key, for a while.
#[derive(Clone)]
pub enum Cache {
    /// Shared by all functions.
    Redis(ConnectionManager),
    /// Of this process alone.
    Memory(moka::future::Cache<String, Entry>),
}

/// Bytes in memory, and how long they are kept.
#[derive(Clone)]
pub struct Entry {
    value: Vec<u8>,
    ttl: Duration,
}

struct Ttl;

const MEMORY_BYTES: u64 = 8 << 20;

impl Cache {
    /// A cache in Redis if there is one.
    pub fn new(redis: Option<ConnectionManager>) -> Cache {
        match redis {
            Some(redis) => Cache::Redis(redis),
            None => Cache::Memory(
                moka::future::Cache::builder()
                    .max_capacity(MEMORY_BYTES)
                    .weigher(|key: &String, entry: &Entry| {
                        u32::try_from(key.len() + entry.value.len()).unwrap_or(u32::MAX)
                    })
                    .expire_after(Ttl)
                    .build(),
            ),
        }
    }

    /// The bytes under the key, if they are still there.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self {
            Cache::Memory(memory) => memory.get(key).await.map(|it| it.value),
            Cache::Redis(redis) => match redis.clone().get::<_, Option<Vec<u8>>>(key).await {
                Ok(value) => value,
                Err(error) => {
                    tracing::warn!(%error, "redis is unavailable, the cache is skipped");
                    None
                }
            },
        }
    }

    /// Keeps the bytes under the key, at most `ttl` (seconds matter, not less).
    pub async fn put(&self, key: String, value: Vec<u8>, ttl: Duration) {
        match self {
            Cache::Memory(memory) => memory.insert(key, Entry { value, ttl }).await,
            Cache::Redis(redis) => {
                let put = redis
                    .clone()
                    .set_ex::<_, _, ()>(key, value, ttl.as_secs().max(1))
                    .await;
                if let Err(error) = put {
                    tracing::warn!(%error, "redis is unavailable, nothing was cached");
                }
            }
        }
    }

    /// What is wrong with it, if something is.
    pub async fn problem(&self) -> Option<&'static str> {
        match self.ping().await {
            Ok(()) => None,
            Err(error) => {
                tracing::warn!(%error, "redis does not answer");
                Some("redis does not answer")
            }
        }
    }

    /// Whether it answers. Memory always does.
    pub(crate) async fn ping(&self) -> Result<(), redis::RedisError> {
        match self {
            Cache::Memory(_) => Ok(()),
            Cache::Redis(redis) => redis.clone().ping().await,
        }
    }
}

impl Expiry<String, Entry> for Ttl {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}
