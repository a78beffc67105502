//! Secrets that a source exchanges for others: one worker at a time, and none is lost.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use schema::ConnectionId;
use serde_json::{Value, json};
use sources::redact::Secrets;
use sources::{SecretStore, SourceError, SourceErrorKind};
use tests::app::{Person, TestApp};
use tests::fixtures::postgres_source::{ACCOUNTS_TABLE, accounts_object, set_up_postgres_source};

const PASSWORD: &str = "/password";

fn store(app: &TestApp, person: &Person, id: &str) -> Arc<dyn SecretStore> {
    let connection = ConnectionId(id.parse().unwrap());
    aam_connect::stored_secrets(&app.platform, person.tenant, connection)
}

/// The secrets with one more letter in the password.
async fn lengthen(store: &dyn SecretStore) -> Result<Secrets, SourceError> {
    let longer = |mut secrets: Secrets| {
        let next = format!("{}x", password(&secrets));
        secrets.insert(PASSWORD.to_owned(), json!(next));
        async { Ok(secrets) }.boxed()
    };
    store.exchange(Box::new(longer)).await
}

/// What is stored now.
async fn stored(store: &dyn SecretStore) -> String {
    let same = |secrets: Secrets| async { Ok(secrets) }.boxed();
    password(&store.exchange(Box::new(same)).await.unwrap())
}

fn password(secrets: &Secrets) -> String {
    secrets[PASSWORD].as_str().unwrap().to_owned()
}

fn refused() -> SourceError {
    SourceError::new(SourceErrorKind::Network, "", "the source does not answer")
}

#[tokio::test]
async fn exchanges_at_once_follow_each_other() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let before = stored(&*store(&app, &person, &id)).await;
    // Each its own store, as each worker has.
    let workers: Vec<_> = (0..5).map(|_| store(&app, &person, &id)).collect();
    let exchanged = join_all(workers.iter().map(|it| lengthen(&**it))).await;
    let mut lengths: Vec<_> = exchanged
        .into_iter()
        .map(|it| password(&it.unwrap()).len() - before.len())
        .collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [1, 2, 3, 4, 5]);
    let after = stored(&*store(&app, &person, &id)).await;
    assert_eq!(after, format!("{before}xxxxx"));
}

#[tokio::test]
async fn an_exchange_that_fails_changes_nothing_and_leaves_the_next_one_free() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let store = store(&app, &person, &id);
    let before = stored(&*store).await;
    let fail = |_| async { Err(refused()) }.boxed();
    let error = store.exchange(Box::new(fail)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Network);
    assert_eq!(stored(&*store).await, before);
}

#[tokio::test]
async fn who_lost_the_lease_stores_nothing() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let (slow, quick) = (store(&app, &person, &id), store(&app, &person, &id));
    let before = stored(&*slow).await;
    let owner = app.owner().clone();
    let overtaken = move |mut secrets: Secrets| {
        async move {
            // As after a minute.
            sqlx::query("update connections set secrets_leased_until = now()")
                .execute(&owner)
                .await
                .unwrap();
            lengthen(&*quick).await.unwrap();
            secrets.insert(PASSWORD.to_owned(), json!("of the slow one"));
            Ok(secrets)
        }
        .boxed()
    };
    let error = slow.exchange(Box::new(overtaken)).await.unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Quota);
    assert_eq!(stored(&*slow).await, format!("{before}x"));
}

#[tokio::test]
async fn secrets_are_stored_sealed() {
    let (app, _source, person, id) =
        set_up_postgres_source(ACCOUNTS_TABLE, accounts_object()).await;
    let store = store(&app, &person, &id);
    lengthen(&*store).await.unwrap();
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed_secrets from connections")
        .fetch_one(app.owner())
        .await
        .unwrap();
    let plain = Value::from(stored(&*store).await).to_string();
    let within = sealed.windows(plain.len()).any(|it| it == plain.as_bytes());
    assert!(!within);
}
