//! The signing key is rotated while requests run.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::json;
use tests::app::{Answer, PASSWORD};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::deployment::Deployment;
use crate::gateway::Gateway;
use crate::wait::until;

/// One path of each function.
const PATHS: [&str; 4] = [
    "/api/v1/auth/me",
    "/api/v1/aam/connections",
    "/api/v1/aam/status",
    "/api/v1/dcl/views/accounts?limit=1",
];
/// Often enough to meet every moment of a rotation, and seldom enough for the rate limits.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn no_request_fails_while_the_signing_key_rotates(deployment: &Deployment) {
    let old = deployment.person.token.clone();
    let (token, current) = watch::channel(old.clone());
    let mut clients = JoinSet::new();
    for path in PATHS {
        clients.spawn(ask(deployment.api.clone(), path, current.clone()));
    }

    let secret = json!({ "SecretId": deployment.stack.resource("AuthSecret") });
    let version = async || deployment.secrets("GetSecretValue", secret.clone()).await;
    let before = version().await["VersionId"].take();
    deployment.secrets("RotateSecret", secret.clone()).await;
    until("the new key", async || {
        (version().await["VersionId"] != before).then_some(())
    })
    .await;

    // The functions that run know the old keys only, and meet a token that a new one signed.
    let new = until("a token by the new key", async || {
        let sessions = join_all((0..6).map(|_| log_in(deployment))).await;
        sessions.into_iter().find(|it| key_id(it) != key_id(&old))
    })
    .await;
    for path in PATHS {
        for token in [&new, &old] {
            let answer = deployment.api.get(path, token.as_str()).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer}");
        }
    }
    token.send(new).unwrap();
    drop(token);
    while let Some(client) = clients.join_next().await {
        let answers = client.unwrap();
        assert!(answers > 3, "only {answers} requests ran");
    }
}

/// Asks again and again with the current token until there will be no other; says how often.
async fn ask(api: Gateway, path: &'static str, mut token: watch::Receiver<String>) -> usize {
    let mut answers = 0;
    loop {
        let current = token.borrow_and_update().clone();
        let answer: Answer = api.get(path, current.as_str()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer}");
        answers += 1;
        let changed = tokio::time::timeout(PAUSE, token.changed()).await;
        if matches!(changed, Ok(Err(_))) {
            return answers;
        }
    }
}

/// A new token. Of those who log in at the same time, some meet a function that starts for them.
async fn log_in(deployment: &Deployment) -> String {
    let credentials = json!({ "email": deployment.person.email, "password": PASSWORD });
    let path = "/api/v1/auth/login";
    let answer = deployment.api.post(path, None, credentials).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// The head of a token, which names the key.
fn key_id(token: &str) -> &str {
    token.split('.').next().unwrap_or_default()
}
