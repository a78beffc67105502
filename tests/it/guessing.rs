//! Guessing at passwords: it is slowed down, and keeps nobody but the guesser out.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::Request;
use platform::client_address::ClientAddress;
use platform::limit::{Limits, quota};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tests::app::{Answer, JSON, PASSWORD, Setup, TestApp};
use tests::fixtures::jobs::run_schedule;
use tests::valkey::Valkey;

const WRONG: &str = "wrong horse battery";
const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// Three failures of an account from an address, five of an address, six of an account.
async fn tight(redis: Option<platform::redis::Config>) -> TestApp {
    let app = TestApp::with(Setup {
        limits: Limits {
            sign_in: quota(1, 3),
            sign_in_address: quota(1, 5),
            sign_in_account: quota(1, 6),
            ..Setup::default().limits
        },
        redis,
        ..Setup::default()
    })
    .await;
    // From 192.0.2.1, where every test's requests come from unless they say otherwise.
    for email in [ADA, EVE] {
        let new = json!({ "name": email, "email": email, "password": PASSWORD });
        let answer = app.post("/api/v1/auth/register", None, new).await;
        assert_eq!(answer.status.as_u16(), 201, "{answer}");
    }
    app
}

async fn ask(app: &TestApp, email: &str, password: &str, host: u8) -> Answer {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
    let body = json!({ "email": email, "password": password });
    let request = Request::post("/api/v1/auth/login")
        .header(JSON.0, JSON.1)
        .extension(ClientAddress(Some(address)))
        .body(body.to_string().into())
        .unwrap();
    app.call(request).await
}

async fn login(app: &TestApp, email: &str, password: &str, host: u8) -> u16 {
    ask(app, email, password, host).await.status.as_u16()
}

/// Where failures are counted: in Redis, and in the database.
fn counters(valkey: &Valkey) -> [Option<platform::redis::Config>; 2] {
    let (url, ca) = (valkey.url(), Some(valkey.ca_pem().as_bytes().to_vec()));
    [Some(platform::redis::Config { url, ca }), None]
}

/// So many wrong passwords are looked at from the address before it has to wait.
async fn guess(app: &TestApp, email: &str, host: u8, looked_at: usize) {
    for _ in 0..looked_at {
        assert_eq!(login(app, email, WRONG, host).await, 401, "{email} {host}");
    }
    assert_eq!(login(app, email, WRONG, host).await, 429, "{email} {host}");
}

#[tokio::test]
async fn a_guesser_locks_out_only_themselves() {
    let valkey = Valkey::start().await;
    for redis in counters(&valkey) {
        let app = tight(redis).await;
        guess(&app, ADA, 66, 3).await;
        for _ in 0..10 {
            assert_eq!(login(&app, ADA, WRONG, 66).await, 429);
        }
        let limited = ask(&app, ADA, PASSWORD, 66).await;
        assert_eq!(limited.status.as_u16(), 429, "{limited}");
        assert_eq!(limited.header("x-ratelimit-remaining"), Some("0"));
        let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(login(&app, ADA, PASSWORD, 7).await, 200, "from elsewhere");
        assert_eq!(
            login(&app, ADA, PASSWORD, 1).await,
            200,
            "from where she was"
        );
        // The account counts whether it exists or not.
        guess(&app, "nobody@example.com", 67, 3).await;
    }
}

#[tokio::test]
async fn successes_do_not_count() {
    let valkey = Valkey::start().await;
    for redis in counters(&valkey) {
        let app = tight(redis).await;
        for host in [1, 7] {
            for _ in 0..8 {
                let answer = ask(&app, ADA, PASSWORD, host).await;
                assert_eq!(answer.status.as_u16(), 200, "{answer}");
                assert_eq!(answer.header("x-ratelimit-remaining"), Some("3"));
            }
        }
        for _ in 0..4 {
            assert_eq!(login(&app, ADA, WRONG, 1).await, 401);
            assert_eq!(login(&app, ADA, WRONG, 1).await, 401);
            assert_eq!(login(&app, ADA, PASSWORD, 1).await, 200, "it clears");
        }
    }
}

#[tokio::test]
async fn many_addresses_against_one_account() {
    let valkey = Valkey::start().await;
    for redis in counters(&valkey) {
        let app = tight(redis).await;
        for host in 100..106 {
            assert_eq!(login(&app, ADA, WRONG, host).await, 401, "{host}");
        }
        for host in 106..110 {
            assert_eq!(login(&app, ADA, WRONG, host).await, 429, "{host}");
        }
        // She registered from there, so there is a way in, and none of another's account.
        assert_eq!(login(&app, ADA, PASSWORD, 1).await, 200);
        assert_eq!(login(&app, ADA, PASSWORD, 111).await, 429);
        assert_eq!(login(&app, EVE, PASSWORD, 111).await, 200);
        // Even there not more than three at a time are looked at.
        guess(&app, ADA, 1, 3).await;
    }
}

#[tokio::test]
async fn one_address_against_many_accounts() {
    let valkey = Valkey::start().await;
    for redis in counters(&valkey) {
        let app = tight(redis).await;
        for number in 0..5 {
            let email = format!("nobody{number}@example.com");
            assert_eq!(login(&app, &email, WRONG, 66).await, 401, "{email}");
        }
        assert_eq!(login(&app, "nobody5@example.com", WRONG, 66).await, 429);
        assert_eq!(login(&app, ADA, PASSWORD, 66).await, 429);
        assert_eq!(login(&app, ADA, PASSWORD, 67).await, 200);
    }
}

#[tokio::test]
async fn many_guesses_at_once_are_not_all_looked_at() {
    let app = tight(None).await;
    let tries = (0..12).map(|_| login(&app, ADA, WRONG, 66));
    let seen = futures_util::future::join_all(tries).await;
    assert_eq!(seen.iter().filter(|it| **it == 401).count(), 3, "{seen:?}");
}

#[tokio::test]
async fn an_address_is_known_for_90_days() {
    let app = tight(None).await;
    let pool = app.database().pool();
    let aged = async |days: u8| {
        let sql =
            format!("update sign_in_addresses set signed_in_at = now() - interval '{days} days'");
        sqlx::query(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    };
    for host in 100..106 {
        assert_eq!(login(&app, ADA, WRONG, host).await, 401);
    }
    aged(91).await;
    assert_eq!(login(&app, ADA, PASSWORD, 1).await, 429);
    aged(89).await;
    assert_eq!(login(&app, ADA, PASSWORD, 1).await, 200);
}

#[tokio::test]
async fn neither_addresses_nor_e_mail_addresses_are_stored_in_clear() {
    let app = tight(None).await;
    assert_eq!(login(&app, ADA, WRONG, 66).await, 401);
    let pool = app.database().pool();
    let lengths: Vec<i32> = sqlx::query_scalar(
        "select length(address_hash) from sign_in_addresses union all select length(key) from rate_limits",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(lengths.len() >= 5, "{lengths:?}");
    assert!(lengths.iter().all(|it| *it == 32), "{lengths:?}");
}

#[tokio::test]
async fn expired_counters_and_known_addresses_are_purged() {
    let app = tight(None).await;
    assert_eq!(login(&app, ADA, WRONG, 66).await, 401);
    let pool = app.database().pool();
    let count = async || -> (i64, i64) {
        sqlx::query_as(
            "select (select count(*) from rate_limits), (select count(*) from sign_in_addresses)",
        )
        .fetch_one(&pool)
        .await
        .unwrap()
    };
    // The registrations' counter, and the three of the failure.
    run_schedule(&app, "sweep").await;
    assert_eq!(count().await, (4, 2), "nothing is over");
    for sql in [
        "update rate_limits set arrival = now() - interval '1 second'",
        "update sign_in_addresses set signed_in_at = now() - interval '91 days'",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    run_schedule(&app, "sweep").await;
    assert_eq!(count().await, (0, 0));
}
