//! Versions of secrets and the stages they are at.

use anyhow::{Context, bail, ensure};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use platform::secrets;

use super::Event;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Secrets Manager, in the terms of a rotation.
pub(super) struct SecretVersions(Client);

/// The version that is being made.
pub(super) struct Pending {
    pub(super) secret: String,
    version: String,
    /// The version that is in force, if one is.
    current: Option<String>,
    /// What it says, once that is known.
    pub(super) text: Option<String>,
}

impl SecretVersions {
    pub(super) fn new(client: Client) -> SecretVersions {
        SecretVersions(client)
    }

    /// The version that the event is about; none where it is in force already.
    ///
    /// # Errors
    /// Where the secret does not rotate, or not to this version.
    pub(super) async fn pending(&self, event: &Event) -> anyhow::Result<Option<Pending>> {
        let (secret, version) = (&event.secret_id, &event.client_request_token);
        let described = self.0.describe_secret().secret_id(secret).send().await;
        let described = described.map_err(|err| complain("DescribeSecret", secret, &err))?;
        ensure!(
            described.rotation_enabled() == Some(true),
            "the secret does not rotate: enable its rotation"
        );
        let versions = described
            .version_ids_to_stages()
            .cloned()
            .unwrap_or_default();
        let has = |version: &String, stage: &str| {
            let stages = versions.get(version);
            stages.is_some_and(|it| it.iter().any(|it| it == stage))
        };
        if !versions.contains_key(version) {
            bail!("the secret has no version {version}");
        }
        if has(version, CURRENT) {
            return Ok(None);
        }
        ensure!(has(version, PENDING), "version {version} is not {PENDING}");
        Ok(Some(Pending {
            secret: secret.clone(),
            version: version.clone(),
            current: versions.keys().find(|it| has(it, CURRENT)).cloned(),
            text: self.value(secret, PENDING, Some(version)).await?,
        }))
    }

    /// What is in force, if anything is.
    pub(super) async fn current(&self, secret: &str) -> anyhow::Result<Option<String>> {
        self.value(secret, CURRENT, None).await
    }

    /// What was in force before, if anything was.
    pub(super) async fn previous(&self, secret: &str) -> anyhow::Result<Option<String>> {
        self.value(secret, PREVIOUS, None).await
    }

    async fn value(
        &self,
        secret: &str,
        stage: &str,
        version: Option<&String>,
    ) -> anyhow::Result<Option<String>> {
        let request = self.0.get_secret_value().secret_id(secret);
        let request = request
            .version_stage(stage)
            .set_version_id(version.cloned());
        match request.send().await {
            Ok(answer) => Ok(answer.secret_string),
            Err(err) if err.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(err) => Err(complain("GetSecretValue", secret, &err)),
        }
    }

    /// Fills the version that is being made.
    pub(super) async fn fill(&self, pending: &Pending, text: String) -> anyhow::Result<()> {
        let put = self.0.put_secret_value().secret_id(&pending.secret);
        let put = put.client_request_token(&pending.version);
        let put = put.secret_string(text).version_stages(PENDING);
        let put = put.send().await;
        put.map_err(|err| complain("PutSecretValue", &pending.secret, &err))?;
        Ok(())
    }

    /// Makes a version and puts it into force at once.
    pub(super) async fn replace(&self, secret: &str, text: String) -> anyhow::Result<()> {
        let put = self.0.put_secret_value().secret_id(secret);
        let put = put.secret_string(text).send().await;
        put.map_err(|err| complain("PutSecretValue", secret, &err))?;
        Ok(())
    }

    /// Puts the version into force.
    pub(super) async fn promote(&self, pending: &Pending) -> anyhow::Result<()> {
        let Pending {
            secret,
            version,
            current,
            text,
        } = pending;
        text.as_ref()
            .context("the version has no value: createSecret has not run")?;
        let update = self.0.update_secret_version_stage().secret_id(secret);
        let update = update.version_stage(CURRENT).move_to_version_id(version);
        let update = update.set_remove_from_version_id(current.clone());
        let update = update.send().await;
        update.map_err(|err| complain("UpdateSecretVersionStage", secret, &err))?;
        Ok(())
    }
}

fn complain<E, R>(action: &str, secret: &str, error: &SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    anyhow::anyhow!("{action} of {secret}: {}", secrets::cause(error))
}
