//! The harness itself.

use std::path::Path;

use redis::{Client, TlsCertificates};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, PgPool};
use tests::valkey::Valkey;

/// A client that trusts one authority only.
async fn set_and_get(url: String, ca_pem: &str) -> redis::RedisResult<String> {
    let root_cert = Some(ca_pem.as_bytes().to_vec());
    let client = Client::build_with_tls(
        url,
        TlsCertificates {
            client_tls: None,
            root_cert,
        },
    )?;
    let mut conn = client.get_multiplexed_async_connection().await?;
    redis::cmd("SET")
        .arg("key")
        .arg("value")
        .exec_async(&mut conn)
        .await?;
    redis::cmd("GET").arg("key").query_async(&mut conn).await
}

#[tokio::test]
async fn valkey_is_reached_with_its_own_certificate_only() {
    let valkey = Valkey::start().await;
    assert_eq!(
        set_and_get(valkey.url(), valkey.ca_pem()).await.unwrap(),
        "value"
    );

    let check = |result: redis::RedisResult<String>, expected: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error:?}");
    };
    check(
        set_and_get(valkey.url(), valkey.other_ca_pem()).await,
        "UnknownIssuer",
    );
    check(
        set_and_get(valkey.wrong_host_url(), valkey.ca_pem()).await,
        "not valid for name",
    );
}

#[tokio::test]
async fn a_broken_connection_fails_and_a_new_one_works() {
    let valkey = Valkey::start().await;
    let root_cert = Some(valkey.ca_pem().as_bytes().to_vec());
    let client = Client::build_with_tls(
        valkey.url(),
        TlsCertificates {
            client_tls: None,
            root_cert,
        },
    );
    let mut conn = client
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    redis::cmd("PING").exec_async(&mut conn).await.unwrap();

    valkey.break_connections();
    assert!(redis::cmd("PING").exec_async(&mut conn).await.is_err());
    assert_eq!(
        set_and_get(valkey.url(), valkey.ca_pem()).await.unwrap(),
        "value"
    );
}

#[tokio::test]
async fn a_database_is_fresh_and_goes_with_its_test() {
    let database = tests::postgres::empty_database().await;
    let mut conn = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("create table things ()")
        .execute(&mut conn)
        .await
        .unwrap();

    let other = tests::postgres::empty_database().await;
    let things: Option<String> = sqlx::query_scalar("select to_regclass('things')::text")
        .fetch_one(&other.pool())
        .await
        .unwrap();
    assert_eq!(things, None);

    let options = database.options();
    drop(database);
    let error = PgConnection::connect_with(&options)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("does not exist"), "{error}");
}

async fn migrations_in(pool: &PgPool) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
        .fetch_all(pool)
        .await
}

#[tokio::test]
async fn a_database_has_what_the_platform_migrates() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let migrator = Migrator::new(Path::new(folder)).await.unwrap();
    let versions: Vec<i64> = migrator.iter().map(|it| it.version).collect();
    let database = tests::postgres::database().await;
    assert_eq!(migrations_in(&database.pool()).await.unwrap(), versions);

    let empty = tests::postgres::empty_database().await;
    let mut conn = empty.pool().acquire().await.unwrap();
    platform::db::migrate(&mut conn).await.unwrap();
    // The program was built with fewer files than the folder has now, if this fails.
    assert_eq!(migrations_in(&empty.pool()).await.unwrap(), versions);
    platform::db::migrate(&mut conn).await.unwrap();
}
