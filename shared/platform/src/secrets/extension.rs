//! AWS's Parameters and Secrets extension: a cache beside the function, on its loopback.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::Request;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::net::TcpStream;

use super::source::{Stage, Version};
use crate::env;

const TOKEN: &str = "x-aws-parameters-secrets-token";
const PORT: u16 = 2773;
/// It answers from memory in a millisecond, or asks the same API as we would.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the extension listens, if it is there.
pub(super) struct Extension {
    port: u16,
    token: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    version_id: String,
    secret_string: SecretString,
}

impl Extension {
    /// A deployed function may have one; `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT` says where.
    pub(super) fn from_env() -> anyhow::Result<Option<Extension>> {
        let deployed = env::optional::<String>("AWS_LAMBDA_FUNCTION_NAME")?.is_some();
        let token: Option<String> = env::optional("AWS_SESSION_TOKEN")?;
        let port = env::optional("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT")?;
        Ok(token.filter(|_| deployed).map(|token| Extension {
            port: port.unwrap_or(PORT),
            token: token.into(),
        }))
    }

    #[cfg(test)]
    pub(super) fn at(port: u16, token: SecretString) -> Extension {
        Extension { port, token }
    }

    /// The version as the extension knows it. None where it is not there, not ready yet, or knows
    /// only an error: the API itself has the better words for it.
    pub(super) async fn read(&self, id: &str, stage: Stage) -> Option<Version> {
        let answer = tokio::time::timeout(PATIENCE, self.ask(id, stage)).await;
        match answer {
            Ok(Ok(answer)) => Some(Version {
                id: answer.version_id,
                text: answer.secret_string,
            }),
            Ok(Err(error)) => {
                tracing::debug!(%error, "the secrets extension does not help");
                None
            }
            Err(_) => {
                tracing::warn!("the secrets extension does not answer within {PATIENCE:?}");
                None
            }
        }
    }

    async fn ask(&self, id: &str, stage: Stage) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the answer, as nothing more is asked.
        tokio::spawn(connection);
        let request = Request::get(format!(
            "/secretsmanager/get?secretId={}&versionStage={}",
            escape(id),
            stage.name()
        ))
        .header("host", "localhost")
        .header(TOKEN, self.token.expose_secret())
        .body(Body::empty())?;
        let response = sender.send_request(request).await?;
        anyhow::ensure!(response.status().is_success(), "{}", response.status());
        let body = response.into_body().collect().await?.to_bytes();
        // Without its cause, which may show the secret.
        serde_json::from_slice(&body).map_err(|_| anyhow::anyhow!("its response is malformed"))
    }
}

/// A name or an ARN as a part of a query.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|it| match it {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(it).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
