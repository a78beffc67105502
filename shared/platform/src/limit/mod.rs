//! Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371): in Redis where it is
//! configured, so that all functions count together. Where it is not or while it is away, sign-ins
//! are counted in PostgreSQL, together too, and everything else by each process.

mod memory;
mod remote;
mod tenants;

use std::sync::Arc;

use aws_lc_rs::digest;
use schema::{Error, Result, TenantId, UserId};

use crate::db::{self, rate_limits};
use crate::env;
use crate::quota::gcra::{Admission, Rate};
use crate::quota::whole_seconds;
use crate::redis::ConnectionManager;
use memory::Memory;
use tenants::Tenants;

pub use crate::quota::{Class, NoQuota, Quota, RateLimitStatus, quota};

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

/// Counts requests by key.
#[derive(Clone)]
pub struct Limiter {
    limits: Limits,
    tenants: Tenants,
    memory: Arc<Memory>,
    db: db::Pool,
    redis: Option<ConnectionManager>,
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

    /// The same for a person of a tenant, which may have quotas of its own. With whichever of their
    /// API keys they come, they are one.
    ///
    /// # Errors
    /// As of [`Limiter::check`].
    pub async fn check_tenant(
        &self,
        class: Class,
        tenant: TenantId,
        user: UserId,
    ) -> Result<RateLimitStatus> {
        let own = self.tenants.quota(class, tenant).await;
        let quota = own.unwrap_or_else(|| self.quota(class));
        let key = format!("{tenant}:user:{user}");
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
        let unused = Admission {
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
    async fn count(&self, class: Class, key: &str, rate: Rate) -> Admission {
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
                    return Admission { allowed, ahead };
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
