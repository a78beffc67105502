//! Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371): in Redis where it is
//! configured, so that all functions count together. Where it is not or while it is away, sign-ins
//! are counted in PostgreSQL, together too, and everything else by each process.

mod gcra;
mod memory;
mod remote;
mod tenants;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use schema::{Error, Result, TenantId};

use crate::db::{self, rate_limits};
use crate::env;
use crate::redis::ConnectionManager;
use gcra::{Outcome, Rate};
use memory::Memory;
use tenants::Tenants;

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
    /// Sign-ins that fail, per account and client address together; registrations, and invitations
    /// that are not valid, per client address.
    pub sign_in: Quota,
    /// Sign-ins that fail, per client address: wider, as many people may share it.
    pub sign_in_address: Quota,
    /// Sign-ins that fail, per account: wide, as anybody can make them fail.
    pub sign_in_account: Quota,
}

/// A text that is no quota.
#[derive(Debug)]
pub struct NoQuota;

impl std::fmt::Display for NoQuota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("requests a minute and at once, such as 300/60, each from 1 to 999999")
    }
}

impl std::error::Error for NoQuota {}

impl std::str::FromStr for Quota {
    type Err = NoQuota;

    /// Reads `300/60`: 300 a minute, 60 at once; each 1 to 999999.
    fn from_str(text: &str) -> Result<Quota, NoQuota> {
        let number = |it: &str| {
            it.parse()
                .ok()
                .filter(|it: &NonZeroU32| it.get() <= MAX_RATE)
        };
        let parts = text.split_once('/');
        let quota = parts.and_then(|(per_minute, burst)| {
            Some(Quota {
                per_minute: number(per_minute)?,
                burst: number(burst)?,
            })
        });
        quota.ok_or(NoQuota)
    }
}

/// The largest number of a quota.
const MAX_RATE: u32 = 999_999;

impl Limits {
    /// The default, but for what the environment says: `RATE_LIMIT_READS`, `RATE_LIMIT_WRITES`,
    /// `RATE_LIMIT_SIGN_INS`.
    pub(crate) fn from_env() -> anyhow::Result<Limits> {
        let default = Limits::default();
        Ok(Limits {
            reads: env::optional("RATE_LIMIT_READS")?.unwrap_or(default.reads),
            writes: env::optional("RATE_LIMIT_WRITES")?.unwrap_or(default.writes),
            sign_in: env::optional("RATE_LIMIT_SIGN_INS")?.unwrap_or(default.sign_in),
            ..default
        })
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            reads: quota(300, 60),
            writes: quota(100, 30),
            sign_in: quota(10, 10),
            sign_in_address: quota(30, 100),
            // About a hundred an hour: 24 hours of it are 3,000 guesses.
            sign_in_account: quota(2, 100),
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
    /// The same, for all accounts from one address.
    SignInAddress,
    /// The same, for one account from all addresses.
    SignInAccount,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::Read => "read",
            Class::Write => "write",
            Class::SignIn => "sign-in",
            Class::SignInAddress => "sign-in-address",
            Class::SignInAccount => "sign-in-account",
        }
    }

    /// Whether a process that counts by itself counts too little: whoever guesses is served by as
    /// many as there are.
    fn is_shared(self) -> bool {
        match self {
            Class::Read | Class::Write => false,
            Class::SignIn | Class::SignInAddress | Class::SignInAccount => true,
        }
    }
}

/// Counts requests by key.
#[derive(Clone)]
pub struct Limiter {
    limits: Limits,
    tenants: Tenants,
    memory: Arc<Memory>,
    db: db::Pool,
    redis: Option<ConnectionManager>,
}

/// Where a caller stands in its quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimitStatus {
    quota: Quota,
    class: Class,
    remaining: u32,
    /// Until a request will be let through again; none while one is.
    retry_after: Option<Duration>,
}

impl Limiter {
    /// A limiter that counts in Redis if there is one.
    pub fn new(limits: Limits, db: db::Pool, redis: Option<ConnectionManager>) -> Limiter {
        Limiter {
            limits,
            tenants: Tenants::new(db.clone()),
            memory: Arc::new(Memory::new()),
            db,
            redis,
        }
    }

    /// Counts one request under the key.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where the quota is used up; the request then counts for nothing.
    pub async fn check(&self, class: Class, key: &str) -> Result<RateLimitStatus> {
        // Boxed, as the layouts of callers would nest too deep.
        Box::pin(self.draw(class, self.quota(class), key)).await
    }

    /// The same for somebody of a tenant, which may have quotas of its own.
    ///
    /// # Errors
    /// As of [`Limiter::check`].
    pub async fn check_tenant(
        &self,
        class: Class,
        tenant: TenantId,
        actor: &str,
    ) -> Result<RateLimitStatus> {
        let own = self.tenants.quota(class, tenant).await;
        let quota = own.unwrap_or_else(|| self.quota(class));
        let key = format!("{tenant}:{actor}");
        Box::pin(self.draw(class, quota, &key)).await
    }

    async fn draw(&self, class: Class, quota: Quota, key: &str) -> Result<RateLimitStatus> {
        let rate = Rate::from(quota);
        let outcome = self.count(class, &named(class, key), rate).await;
        let standing = RateLimitStatus::new(class, quota, outcome);
        crate::trace::add_standing(standing);
        match standing.retry_after {
            None => Ok(standing),
            Some(wait) => Err(Error::RateLimited {
                retry_after_secs: whole_seconds(wait),
            }),
        }
    }

    /// Takes back what one request cost that was let through: it turned out to count for nothing.
    pub async fn give_back(&self, class: Class, key: &str) {
        let (key, rate) = (named(class, key), Rate::from(self.quota(class)));
        if let Some(mut redis) = self.redis.clone() {
            match remote::give_back(&mut redis, &key, rate).await {
                Ok(()) => return,
                Err(error) => away("redis", &error),
            }
        }
        if class.is_shared() {
            let period = signed(rate.period);
            match rate_limits::give_back(&self.db, &hash(&key), period).await {
                Ok(()) => return,
                Err(error) => away("the database", &error),
            }
        }
        self.memory.give_back(&key, rate);
    }

    /// Forgets what was counted under the key, which has its whole quota again.
    pub async fn clear(&self, class: Class, key: &str) {
        let unused = Outcome {
            allowed: true,
            ahead: 0,
        };
        crate::trace::set_standing(RateLimitStatus::new(class, self.quota(class), unused));
        let key = named(class, key);
        if let Some(mut redis) = self.redis.clone() {
            match remote::clear(&mut redis, &key).await {
                Ok(()) => return,
                Err(error) => away("redis", &error),
            }
        }
        if class.is_shared() {
            match rate_limits::delete(&self.db, &hash(&key)).await {
                Ok(()) => return,
                Err(error) => away("the database", &error),
            }
        }
        self.memory.clear(&key);
    }

    fn quota(&self, class: Class) -> Quota {
        match class {
            Class::Read => self.limits.reads,
            Class::Write => self.limits.writes,
            Class::SignIn => self.limits.sign_in,
            Class::SignInAddress => self.limits.sign_in_address,
            Class::SignInAccount => self.limits.sign_in_account,
        }
    }

    /// Counts where it can be counted: no limit is an open door because something is away.
    async fn count(&self, class: Class, key: &str, rate: Rate) -> Outcome {
        if let Some(mut redis) = self.redis.clone() {
            match remote::count(&mut redis, key, rate).await {
                Ok(outcome) => return outcome,
                Err(error) => away("redis", &error),
            }
        }
        if class.is_shared() {
            let (period, tolerance) = (signed(rate.period), signed(rate.tolerance));
            match rate_limits::count(&self.db, &hash(key), period, tolerance).await {
                Ok((allowed, ahead)) => {
                    let ahead = ahead.unsigned_abs();
                    return Outcome { allowed, ahead };
                }
                Err(error) => away("the database", &error),
            }
        }
        self.memory.count(key, rate)
    }
}

fn named(class: Class, key: &str) -> String {
    format!("{}:{key}", class.name())
}

fn hash(key: &str) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    hash.as_ref().to_vec()
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

fn away(who: &str, error: &dyn std::fmt::Display) {
    tracing::warn!(%error, "{who} is unavailable, requests are counted elsewhere");
}

impl RateLimitStatus {
    fn new(class: Class, quota: Quota, outcome: Outcome) -> RateLimitStatus {
        let rate = Rate::from(quota);
        let wait = Duration::from_micros(outcome.ahead.saturating_sub(rate.tolerance));
        RateLimitStatus {
            quota,
            class,
            remaining: rate.remaining(outcome.ahead).min(quota.burst.get()),
            retry_after: (!outcome.allowed).then_some(wait),
        }
    }

    /// Whether it has fewer requests left, or none for longer.
    pub(crate) fn is_tighter_than(self, other: RateLimitStatus) -> bool {
        (self.retry_after, other.remaining) > (other.retry_after, self.remaining)
    }

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
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_two_numbers() {
        for (text, expected) in [
            ("300/60", Some(quota(300, 60))),
            ("999999/1", Some(quota(999_999, 1))),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        for wrong in [
            "",
            "300",
            "0/1",
            "1/0",
            "-1/1",
            "1000000/1",
            "a/b",
            "1/2/3",
            " 1/2",
        ] {
            assert!(wrong.parse::<Quota>().is_err(), "{wrong}");
        }
    }
}
