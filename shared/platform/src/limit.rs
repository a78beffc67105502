//! Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371): in Redis where it is
//! configured, so that all functions count together; in memory where it is not or while it is
//! away.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::RateLimiter;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use schema::{Error, Result};

use crate::redis::ConnectionManager;

/// A rate: so many a minute, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests a minute in the long run.
    pub per_minute: NonZeroU32,
    /// Requests that may come at once.
    pub burst: NonZeroU32,
}

/// The quotas of the platform.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests that only read, per tenant and user.
    pub reads: Quota,
    /// Requests that write, per tenant and user; tokens that are not valid, per client address.
    pub writes: Quota,
    /// Sign-in and registration, per client address and per account.
    pub sign_in: Quota,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            reads: quota(300, 60),
            writes: quota(100, 30),
            sign_in: quota(10, 10),
        }
    }
}

/// A quota from plain numbers.
///
/// # Panics
/// If one of them is 0.
pub const fn quota(per_minute: u32, burst: u32) -> Quota {
    match (NonZeroU32::new(per_minute), NonZeroU32::new(burst)) {
        (Some(per_minute), Some(burst)) => Quota { per_minute, burst },
        _ => panic!("a quota of nothing"),
    }
}

/// Which quota a request draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It only reads.
    Read,
    /// It writes.
    Write,
    /// It proves who somebody is.
    SignIn,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Read => "read",
            Class::Write => "write",
            Class::SignIn => "sign-in",
        }
    }
}

/// After so many requests the keys are forgotten that have their whole quota again: whoever signs
/// in chooses the key, so without it the memory would grow as long as somebody makes up addresses.
const SWEPT_EVERY: u32 = 4096;

type Local =
    RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// Counts requests by key.
#[derive(Clone)]
pub struct Limiter {
    limits: Limits,
    local: Arc<[Local; 3]>,
    /// How many requests this process has counted by itself.
    counted: Arc<AtomicU32>,
    redis: Option<ConnectionManager>,
}

/// Where a caller stands in its quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    quota: Quota,
    class: Class,
    remaining: u32,
    /// Until a request will be let through again; none while one is.
    retry_after: Option<Duration>,
}

// KEYS[1] the key; ARGV: period of one request and tolerance, both in microseconds.
// Returns {allowed, remaining, microseconds to wait}. The clock is Redis's own, one for all.
const GCRA: &str = r"
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local period, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local early = arrival - now - tolerance
if early > 0 then return {0, 0, early} end
arrival = arrival + period
redis.call('SET', KEYS[1], string.format('%d', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1)
return {1, math.floor((tolerance + period - (arrival - now)) / period), 0}
";

impl Limiter {
    /// A limiter that counts in Redis if there is one.
    pub fn new(limits: Limits, redis: Option<ConnectionManager>) -> Limiter {
        let local = [limits.reads, limits.writes, limits.sign_in].map(|it| {
            let quota = governor::Quota::per_minute(it.per_minute).allow_burst(it.burst);
            RateLimiter::dashmap(quota).with_middleware()
        });
        Limiter {
            limits,
            local: Arc::new(local),
            counted: Arc::default(),
            redis,
        }
    }

    /// Counts one request under the key.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where the quota is used up; the request then counts for nothing.
    pub async fn check(&self, class: Class, key: &str) -> Result<Standing> {
        let standing = match &self.redis {
            None => self.check_local(class, key),
            Some(redis) => match self.check_redis(redis.clone(), class, key).await {
                Ok(standing) => standing,
                Err(error) => {
                    tracing::warn!(%error, "redis is away, this process counts by itself");
                    self.check_local(class, key)
                }
            },
        };
        crate::trace::set_standing(standing);
        match standing.retry_after {
            None => Ok(standing),
            Some(wait) => Err(Error::RateLimited {
                retry_after_secs: whole_seconds(wait),
            }),
        }
    }

    fn quota(&self, class: Class) -> Quota {
        match class {
            Class::Read => self.limits.reads,
            Class::Write => self.limits.writes,
            Class::SignIn => self.limits.sign_in,
        }
    }

    fn check_local(&self, class: Class, key: &str) -> Standing {
        let quota = self.quota(class);
        let limiter = &self.local[class as usize];
        if self.counted.fetch_add(1, Ordering::Relaxed) % SWEPT_EVERY == SWEPT_EVERY - 1 {
            self.local.iter().for_each(Local::retain_recent);
        }
        let (remaining, retry_after) = match limiter.check_key(&key.to_owned()) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(DefaultClock::default().now()))),
        };
        Standing {
            quota,
            class,
            remaining,
            retry_after,
        }
    }

    async fn check_redis(
        &self,
        mut redis: ConnectionManager,
        class: Class,
        key: &str,
    ) -> redis::RedisResult<Standing> {
        let quota = self.quota(class);
        let period = 60_000_000 / quota.per_minute.get();
        let tolerance = u64::from(period) * u64::from(quota.burst.get() - 1);
        let (allowed, remaining, wait): (u8, u32, u64) = redis::Script::new(GCRA)
            .key(format!("limit:{}:{key}", class.name()))
            .arg(period)
            .arg(tolerance)
            .invoke_async(&mut redis)
            .await?;
        let retry_after = (allowed == 0).then(|| Duration::from_micros(wait));
        Ok(Standing {
            quota,
            class,
            remaining,
            retry_after,
        })
    }
}

impl Standing {
    /// Writes the headers of `draft-ietf-httpapi-ratelimit-headers` and the customary `X-` ones.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Quota { per_minute, burst } = self.quota;
        let used = burst.get() - self.remaining;
        let full_in = u64::from(used) * 60 / u64::from(per_minute.get());
        let reset = self.retry_after.map_or(full_in, whole_seconds);
        let name = self.class.name();
        let mut put = |header: &'static str, value: String| {
            let value = HeaderValue::from_str(&value).expect("digits and ASCII words");
            headers.insert(HeaderName::from_static(header), value);
        };
        put(
            "ratelimit-policy",
            format!("\"{name}\";q={per_minute};w=60;burst={burst}"),
        );
        put(
            "ratelimit",
            format!("\"{name}\";r={};t={reset}", self.remaining),
        );
        put("x-ratelimit-limit", per_minute.to_string());
        put("x-ratelimit-remaining", self.remaining.to_string());
        put("x-ratelimit-reset", reset.to_string());
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn made_up_keys_do_not_pile_up() {
        // One request is forgotten within a microsecond.
        let fast = quota(60_000_000, 1);
        let limits = Limits {
            sign_in: fast,
            ..Limits::default()
        };
        let limiter = Limiter::new(limits, None);
        for key in 0..3 * SWEPT_EVERY {
            let standing = limiter.check(Class::SignIn, &key.to_string()).await;
            assert!(standing.is_ok(), "{standing:?}");
        }
        let kept = limiter.local[Class::SignIn as usize].len();
        assert!(kept <= SWEPT_EVERY as usize, "{kept} keys");
    }
}
