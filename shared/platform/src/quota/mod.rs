//! Quotas of requests, and where a caller stands in one.

pub(crate) mod gcra;

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use gcra::{Admission, Rate};

/// A rate: so many a minute, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests a minute in the long run.
    pub per_minute: NonZeroU32,
    /// Requests that may come at once.
    pub burst: NonZeroU32,
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
    pub(crate) fn name(self) -> &'static str {
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
    pub(crate) fn is_shared(self) -> bool {
        match self {
            Class::Read | Class::Write => false,
            Class::SignIn | Class::SignInAddress | Class::SignInAccount => true,
        }
    }
}

/// Where a caller stands in its quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimitStatus {
    quota: Quota,
    class: Class,
    remaining: u32,
    /// Until a request will be let through again; none while one is.
    pub(crate) retry_after: Option<Duration>,
}

impl RateLimitStatus {
    pub(crate) fn new(class: Class, quota: Quota, outcome: Admission) -> RateLimitStatus {
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

pub(crate) fn whole_seconds(wait: Duration) -> u64 {
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
