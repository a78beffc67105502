//! Counters in Redis, for all processes together. The clock is Redis's own, one for all.

use redis::{RedisResult, Script};

use crate::quota::gcra::{Admission, Rate};
use crate::redis::ConnectionManager;

// KEYS[1] the key; ARGV: period of one request and tolerance, both in microseconds.
// Returns {allowed, microseconds that the arrival is ahead of now}.
const COUNT: &str = r"
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local period, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if arrival - now > tolerance then return {0, arrival - now} end
arrival = arrival + period
redis.call('SET', KEYS[1], string.format('%d', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1)
return {1, arrival - now}
";

// A key that has expired meanwhile is not made anew: it would never expire.
const GIVE_BACK: &str = r"
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECRBY', KEYS[1], ARGV[1]) end
";

pub(super) async fn count(
    redis: &mut ConnectionManager,
    key: &str,
    rate: Rate,
) -> RedisResult<Admission> {
    let (allowed, ahead): (bool, u64) = Script::new(COUNT)
        .key(name(key))
        .arg(rate.period)
        .arg(rate.tolerance)
        .invoke_async(redis)
        .await?;
    Ok(Admission { allowed, ahead })
}

pub(super) async fn give_back(
    redis: &mut ConnectionManager,
    key: &str,
    rate: Rate,
) -> RedisResult<()> {
    Script::new(GIVE_BACK)
        .key(name(key))
        .arg(rate.period)
        .invoke_async(redis)
        .await
}

pub(super) async fn clear(redis: &mut ConnectionManager, key: &str) -> RedisResult<()> {
    redis::cmd("DEL").arg(name(key)).query_async(redis).await
}

fn name(key: &str) -> String {
    format!("limit:{key}")
}
