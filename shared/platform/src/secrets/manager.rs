//! AWS Secrets Manager: through the extension where there is one, else through its API.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use tokio::sync::OnceCell;

use super::extension::Extension;
use super::failure::Failure;
use super::live::Cached;
use super::source::{Stage, Version};
use crate::aws;

/// A secret there.
pub struct Manager {
    id: String,
    pub(super) extension: Option<Extension>,
    client: OnceCell<Client>,
}

impl Manager {
    /// The secret of that name or ARN, as the environment lets it be reached. `AWS_REGION`,
    /// `AWS_ENDPOINT_URL` and credentials are the SDK's own affair.
    pub fn from_env(id: String) -> anyhow::Result<Manager> {
        Ok(Manager {
            id,
            extension: Extension::from_env()?,
            client: OnceCell::new(),
        })
    }

    /// The same, reached through this client alone.
    pub fn through(client: Client, id: String) -> Manager {
        Manager {
            id,
            extension: None,
            client: OnceCell::new_with(Some(client)),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) async fn read(&self, stage: Stage, cached: Cached) -> Result<Version, Failure> {
        if cached == Cached::Allowed
            && let Some(extension) = &self.extension
            && let Some(version) = extension.read(&self.id, stage).await
        {
            return Ok(version);
        }
        let client = self.client.get_or_try_init(client).await;
        let client = client.map_err(|err| Failure::Away(format!("{err:#}")))?;
        let answer = client
            .get_secret_value()
            .secret_id(&self.id)
            .version_stage(stage.name())
            .send()
            .await
            .map_err(|err| failure(&err))?;
        match (answer.version_id, answer.secret_string) {
            (Some(id), Some(text)) => Ok(Version {
                id,
                text: text.into(),
            }),
            _ => Err(Failure::Malformed("it is binary, not a text".to_owned())),
        }
    }
}

/// The client that the environment describes. It gives up soon: a request waits for it.
///
/// # Errors
/// The system has no certificate authorities.
pub async fn client() -> anyhow::Result<Client> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    let retries = RetryConfig::adaptive()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(100));
    let config = aws::settings()?
        .timeout_config(timeouts)
        .retry_config(retries)
        .load()
        .await;
    Ok(Client::new(&config))
}

/// The error and what led to it, in words. Not its `Debug`: that holds the answer, secrets and all.
pub fn cause<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let first: &dyn std::error::Error = error;
    let chain = std::iter::successors(Some(first), |it| it.source());
    let chain = chain.map(ToString::to_string);
    let said = error.message().map(str::to_owned);
    chain.chain(said).collect::<Vec<_>>().join(": ")
}

fn failure<E, R>(error: &SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let away = || Failure::Away(cause(error));
    match error.code() {
        // Other words of AWS for a secret without a value at this stage, or one being deleted.
        Some("ResourceNotFoundException" | "InvalidRequestException") => Failure::Missing,
        Some(
            "AccessDeniedException"
            | "AccessDenied"
            | "DecryptionFailure"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId",
        ) => Failure::Denied,
        Some("ThrottlingException" | "Throttling" | "TooManyRequestsException") => {
            Failure::Throttled
        }
        _ => away(),
    }
}
