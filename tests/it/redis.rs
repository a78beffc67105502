//! Redis over TLS: believed only with the right certificate, never missed when it is away.

use std::time::Duration;

use platform::cache::Cache;
use platform::limit::{Class, Limiter, Limits, quota};
use platform::redis::{Config, connect};
use redis::AsyncCommands;
use tests::app::TestApp;
use tests::valkey::Valkey;

fn config(url: String, ca: &str) -> Config {
    Config {
        url,
        ca: Some(ca.as_bytes().to_vec()),
    }
}

/// What the first command says, with the certificate authority and the address given.
async fn refusal(url: String, ca: &str) -> String {
    let mut redis = connect(&config(url, ca)).unwrap();
    redis.ping::<()>().await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_right_certificate_is_believed() {
    let valkey = Valkey::start().await;
    let redis = connect(&config(valkey.url(), valkey.ca_pem())).unwrap();
    let cache = Cache::new(Some(redis));
    cache
        .put("key".to_owned(), b"value".to_vec(), Duration::from_secs(60))
        .await;
    assert_eq!(cache.get("key").await.as_deref(), Some(&b"value"[..]));
    assert_eq!(cache.get("other").await, None);
}

#[tokio::test]
async fn another_authority_and_another_host_are_refused() {
    let valkey = Valkey::start().await;
    let other_ca = refusal(valkey.url(), valkey.other_ca_pem()).await;
    assert!(other_ca.contains("UnknownIssuer"), "{other_ca}");
    let other_host = refusal(valkey.wrong_host_url(), valkey.ca_pem()).await;
    assert!(other_host.contains("not valid for name"), "{other_host}");
}

#[test]
fn a_certificate_authority_that_is_none_is_refused_at_start() {
    let refused = |ca: &str| {
        let config = config("rediss://localhost:1".to_owned(), ca);
        let Err(err) = connect(&config) else {
            panic!("`{ca}` was believed")
        };
        format!("{err:#}")
    };
    for junk in [
        "",
        "junk",
        "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    ] {
        let message = refused(junk);
        assert!(
            message.contains("the Redis certificate authority"),
            "{junk}: {message}"
        );
    }
}

#[test]
fn another_machine_is_reached_encrypted_or_not_at_all() {
    let refused = |url: &str| {
        let config = Config {
            url: url.to_owned(),
            ca: None,
        };
        let Err(err) = connect(&config) else {
            panic!("{url} was taken")
        };
        format!("{err:#}")
    };
    insta::assert_snapshot!(
        refused("redis://cache.example:6379"),
        @"REDIS_URL is not encrypted: use rediss:// for `cache.example`"
    );
    let malformed = refused("cache.example:6379");
    assert!(malformed.contains("REDIS_URL is malformed"), "{malformed}");
}

#[tokio::test]
async fn a_broken_connection_costs_a_miss_and_heals() {
    let valkey = Valkey::start().await;
    let cache = Cache::new(Some(
        connect(&config(valkey.url(), valkey.ca_pem())).unwrap(),
    ));
    cache
        .put("key".to_owned(), b"value".to_vec(), Duration::from_secs(60))
        .await;
    valkey.break_connections();
    let mut found = None;
    for _ in 0..50 {
        found = cache.get("key").await;
        if found.is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(found.as_deref(), Some(&b"value"[..]));
}

const TIGHT: Limits = Limits {
    reads: quota(1, 3),
    writes: quota(1, 3),
    sign_in: quota(1, 2),
    sign_in_address: quota(1, 2),
    sign_in_account: quota(1, 2),
};

/// How many of `tries` calls are let through.
async fn passed(limiter: &Limiter, class: Class, key: &str, tries: usize) -> usize {
    let mut passed = 0;
    for _ in 0..tries {
        passed += usize::from(limiter.check(class, key).await.is_ok());
    }
    passed
}

#[tokio::test]
async fn all_processes_count_together_in_redis() {
    let (valkey, app) = (Valkey::start().await, TestApp::start().await);
    let limiter = || {
        let redis = connect(&config(valkey.url(), valkey.ca_pem())).unwrap();
        Limiter::new(TIGHT, app.platform.db.clone(), Some(redis))
    };
    let (one, other) = (limiter(), limiter());
    assert_eq!(passed(&one, Class::SignIn, "ann", 1).await, 1);
    assert_eq!(passed(&other, Class::SignIn, "ann", 5).await, 1);
    assert_eq!(passed(&one, Class::SignIn, "bob", 5).await, 2);
    let err = one.check(Class::SignIn, "ann").await.unwrap_err();
    let schema::Error::RateLimited { retry_after_secs } = err else {
        panic!("{err}")
    };
    assert!((1..=60).contains(&retry_after_secs), "{retry_after_secs}");
}

/// Limiters without Redis, and with one that is away, over the same database.
async fn without_redis(app: &TestApp) -> [Limiter; 2] {
    let away = config(
        "rediss://localhost:1".to_owned(),
        Valkey::start().await.ca_pem(),
    );
    [None, Some(connect(&away).unwrap())]
        .map(|redis| Limiter::new(TIGHT, app.platform.db.clone(), redis))
}

#[tokio::test]
async fn without_redis_a_process_counts_requests_by_itself() {
    let app = TestApp::start().await;
    for limiter in without_redis(&app).await {
        assert_eq!(passed(&limiter, Class::Read, "ann", 6).await, 3);
        assert_eq!(passed(&limiter, Class::Read, "bob", 6).await, 3);
    }
}

#[tokio::test]
async fn without_redis_all_processes_count_sign_ins_together() {
    let app = TestApp::start().await;
    for class in [Class::SignIn, Class::SignInAddress, Class::SignInAccount] {
        let [one, other] = without_redis(&app).await;
        assert_eq!(passed(&one, class, "ann", 1).await, 1);
        assert_eq!(passed(&other, class, "ann", 5).await, 1);
        assert_eq!(passed(&one, class, "ann", 5).await, 0);
        assert_eq!(passed(&one, class, "bob", 5).await, 2);
    }
}

async fn check_refund_and_reset(limiter: &Limiter, class: Class) {
    assert_eq!(passed(limiter, class, "zoe", 1).await, 1);
    limiter.give_back(class, "zoe").await;
    assert_eq!(passed(limiter, class, "zoe", 9).await, burst(class));
    limiter.clear(class, "zoe").await;
    assert_eq!(passed(limiter, class, "zoe", 9).await, burst(class));
    // Nothing is owed to a key that nothing was counted under.
    limiter.give_back(class, "new").await;
    assert_eq!(passed(limiter, class, "new", 9).await, burst(class));
}

fn burst(class: Class) -> usize {
    if class == Class::SignIn { 2 } else { 3 }
}

#[tokio::test]
async fn a_refunded_attempt_does_not_count_in_redis_and_in_the_database() {
    let (valkey, app) = (Valkey::start().await, TestApp::start().await);
    let redis = connect(&config(valkey.url(), valkey.ca_pem())).unwrap();
    for redis in [Some(redis), None] {
        let limiter = Limiter::new(TIGHT, app.platform.db.clone(), redis);
        for class in [Class::SignIn, Class::Read] {
            check_refund_and_reset(&limiter, class).await;
        }
    }
}

#[tokio::test]
async fn many_at_once_are_counted_one_by_one() {
    let app = TestApp::start().await;
    let limiter = Limiter::new(TIGHT, app.platform.db.clone(), None);
    let tries = (0..20).map(|_| limiter.check(Class::SignIn, "ann"));
    let tried = futures_util::future::join_all(tries).await;
    assert_eq!(tried.iter().filter(|it| it.is_ok()).count(), 2);
}
