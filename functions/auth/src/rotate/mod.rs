//! Rotation, as AWS Secrets Manager asks for it: four steps for each secret.
//!
//! **Invariant:** a step that comes again, at whatever moment the first one was ended, does no
//! harm and goes on where that one stopped.

mod database;
mod secret_versions;
mod signing_key;

use anyhow::{Context, bail};
use aws_sdk_secretsmanager::Client;
use chrono::{DateTime, Utc};
use lambda_http::LambdaEvent;
use lambda_http::lambda_runtime::{self, Diagnostic, service_fn};
use platform::config::{LOCAL_ISSUER, Realm};
use platform::{db, env, telemetry};
use serde::Deserialize;

use secret_versions::{Pending, SecretVersions};

/// What Secrets Manager sends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// What is to be done.
    pub step: RotationStep,
    /// The ARN of the secret.
    pub secret_id: String,
    /// The version that is being made.
    pub client_request_token: String,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RotationStep {
    /// Makes the new version.
    CreateSecret,
    /// Makes others know it.
    SetSecret,
    /// Tries it.
    TestSecret,
    /// Puts it into force.
    FinishSecret,
}

/// What rotates: the signing key of auth's secret, or the password of any other.
pub struct Rotation {
    vault: SecretVersions,
    /// Auth's secret: `SECRET_ID`.
    auth: String,
    /// The secrets of those who verify: `PUBLIC_SECRET_IDS`, separated by commas.
    public: Vec<String>,
    realm: Realm,
    /// Where the database is, if its secret does not say it.
    database: Option<db::ConnectOptions>,
}

impl Rotation {
    /// What rotates the secrets that the environment names.
    pub fn from_env(client: Client) -> anyhow::Result<Rotation> {
        let list: String = env::optional("PUBLIC_SECRET_IDS")?.unwrap_or_default();
        let ids = list.split(',').map(str::trim).filter(|it| !it.is_empty());
        Ok(Rotation {
            auth: env::required("SECRET_ID")?,
            public: ids.map(str::to_owned).collect(),
            realm: Realm::from_env(LOCAL_ISSUER)?,
            database: platform::config::database_from_env()?,
            ..Rotation::new(client, String::new(), vec![])
        })
    }

    /// The same of these secrets.
    pub fn new(client: Client, auth: String, public: Vec<String>) -> Rotation {
        Rotation {
            vault: SecretVersions::new(client),
            auth,
            public,
            realm: Realm::default(),
            database: None,
        }
    }

    /// Takes one step.
    ///
    /// # Errors
    /// Whatever keeps the step from being taken. Secrets Manager asks again later.
    pub async fn take(&self, event: &Event, now: DateTime<Utc>) -> anyhow::Result<()> {
        let Some(pending) = self.vault.pending(event).await? else {
            tracing::info!(secret = event.secret_id, "the version is already current");
            return Ok(());
        };
        if event.step == RotationStep::FinishSecret {
            return self.vault.promote(&pending).await;
        }
        if event.step != RotationStep::CreateSecret && pending.text.is_none() {
            bail!("the version has no value: createSecret has not run");
        }
        if is(&event.secret_id, &self.auth) {
            self.signing_key(event.step, &pending, now).await
        } else {
            self.password(event.step, &pending).await
        }
    }

    async fn log(&self, event: &Event) -> Result<(), Diagnostic> {
        let (step, secret) = (event.step, event.secret_id.as_str());
        match self.take(event, Utc::now()).await {
            Ok(()) => {
                tracing::info!(secret, ?step, "a step of the rotation is done");
                Ok(())
            }
            Err(error) => {
                let error_message = format!("{error:#}");
                tracing::error!(
                    secret,
                    ?step,
                    error_message,
                    "a step of the rotation failed"
                );
                Err(Diagnostic {
                    error_type: "Rotation".to_owned(),
                    error_message,
                })
            }
        }
    }
}

/// Whether an ARN, which ends in six letters of its own, is that of a name or of the same ARN.
fn is(arn: &str, id: &str) -> bool {
    let name = arn.split(":secret:").nth(1);
    let name = name.and_then(|it| Some(it.rsplit_once('-')?.0));
    arn == id || name == Some(id)
}

/// Takes steps until the function is stopped.
pub async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(telemetry::Format::Json {
        service: "auth-rotate",
    })?;
    let client = platform::secrets::client().await?;
    let rotation = Rotation::from_env(client).context("starting the rotation")?;
    let take = |event: LambdaEvent<Event>| {
        let rotation = &rotation;
        async move { rotation.log(&event.payload).await }
    };
    lambda_runtime::run(service_fn(take)).await
}
