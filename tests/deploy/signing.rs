//! The signing key is rotated while requests run.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tests::app::Answer;
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

    let secret = deployment.stack.resource("AuthSecret");
    let rotate = json!({ "SecretId": secret });
    let before = current_version(deployment, secret).await;
    deployment.secrets("RotateSecret", rotate).await;
    until("the new version of the secret", async || {
        (current_version(deployment, secret).await != before).then_some(())
    })
    .await;

    // Every new token goes to every function at once, while the old one is good too.
    let mut refresh_token = deployment.person.refresh_token.clone();
    let new = until("a token by the new key", async || {
        let session = refresh(&deployment.api, &refresh_token).await;
        session["refresh_token"]
            .as_str()?
            .clone_into(&mut refresh_token);
        let fresh = session["access_token"].as_str()?.to_owned();
        token.send(fresh.clone()).unwrap();
        tokio::time::sleep(PAUSE).await;
        (key_id(&fresh) != key_id(&old)).then_some(fresh)
    })
    .await;
    for path in PATHS {
        for token in [&old, &new] {
            let answer = deployment.api.get(path, token.as_str()).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer}");
        }
    }
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

async fn refresh(api: &Gateway, token: &str) -> Value {
    let body = json!({ "refresh_token": token });
    let answer = api.post("/api/v1/auth/refresh", None, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer}");
    answer.json()
}

async fn current_version(deployment: &Deployment, secret: &str) -> String {
    let value = deployment
        .secrets("GetSecretValue", json!({ "SecretId": secret }))
        .await;
    value["VersionId"].as_str().unwrap().to_owned()
}

/// The head of a token, which names the key.
fn key_id(token: &str) -> &str {
    token.split('.').next().unwrap_or_default()
}
