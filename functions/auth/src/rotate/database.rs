//! Rotating the password that the database knows.
//!
//! With a `masterarn` in the secret, which names the secret of an administrator, two roles take
//! turns, `x` and `x_clone`, so that the one in force is good until the next rotation. Without it
//! the role changes its own password.

use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use platform::db::{ConnectOptions, Connection, roles};
use platform::secrets::Credentials;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Pending, Rotation, RotationStep};
use crate::opaque_token::random;

const CLONE: &str = "_clone";
const PATIENCE: Duration = Duration::from_secs(10);

impl Rotation {
    pub(super) async fn password(
        &self,
        step: RotationStep,
        pending: &Pending,
    ) -> anyhow::Result<()> {
        match (step, &pending.text) {
            (RotationStep::CreateSecret, None) => {
                let current = self.vault.current(&pending.secret).await?;
                let current = current.context("the secret has no value yet")?;
                self.vault.fill(pending, renew(&current)?).await
            }
            (RotationStep::SetSecret, Some(text)) => self.set(pending, text).await,
            (RotationStep::TestSecret, Some(text)) => {
                let mut conn = self.connect(&read(text)?).await?;
                Ok(roles::ping(&mut conn).await?)
            }
            _ => Ok(()),
        }
    }

    /// Makes the database know the new password.
    async fn set(&self, pending: &Pending, text: &str) -> anyhow::Result<()> {
        let credentials = read(text)?;
        if self.connect(&credentials).await.is_ok() {
            return Ok(());
        }
        let (mut conn, base) = match master(text)? {
            Some(id) => {
                let master = self.vault.current(&id).await?;
                let master = read(&master.with_context(|| format!("{id} has no value"))?)?;
                // RDS's own secret of an administrator says no more than who.
                let master = Credentials {
                    username: master.username,
                    password: master.password,
                    ..credentials.clone()
                };
                let base = credentials.username.strip_suffix(CLONE);
                (self.connect(&master).await?, base)
            }
            None => (self.itself(&pending.secret).await?, None),
        };
        if let Some(base) = base {
            roles::insert_once(&mut conn, &credentials.username, base).await?;
        }
        let password = credentials.password.expose_secret();
        Ok(roles::update_password(&mut conn, &credentials.username, password).await?)
    }

    /// A connection as the role in force, or by the password before where that was set back.
    async fn itself(&self, secret: &str) -> anyhow::Result<Connection> {
        let current = self.vault.current(secret).await?.unwrap_or_default();
        let refused = match self.connect(&read(&current)?).await {
            Ok(conn) => return Ok(conn),
            Err(refused) => refused,
        };
        let previous = self.vault.previous(secret).await?;
        match previous.map(|it| read(&it)) {
            Some(Ok(previous)) => self.connect(&previous).await,
            _ => Err(refused),
        }
    }

    async fn connect(&self, credentials: &Credentials) -> anyhow::Result<Connection> {
        let place = match credentials.place() {
            Some(place) => place,
            None => {
                let place: Option<ConnectOptions> = self.database.clone();
                place.context("neither the secret nor DATABASE_URL says where the database is")?
            }
        };
        let options = credentials.sign_in(place);
        let conn = tokio::time::timeout(PATIENCE, roles::connect(&options)).await;
        Ok(conn.context("the database does not answer")??)
    }
}

/// The secret with a new password, and with the other role where two take turns.
fn renew(current: &str) -> anyhow::Result<String> {
    let credentials = read(current)?;
    let mut secret: Value = serde_json::from_str(current)?;
    if master(current)?.is_some() {
        let name = credentials.username;
        let other = match name.strip_suffix(CLONE) {
            Some(base) => base.to_owned(),
            None => format!("{name}{CLONE}"),
        };
        ensure!(
            other.len() < 64,
            "the name {other} is too long for PostgreSQL"
        );
        secret["username"] = json!(other);
    }
    secret["password"] = json!(BASE64_URL_SAFE_NO_PAD.encode(random()));
    Ok(secret.to_string())
}

fn master(text: &str) -> anyhow::Result<Option<String>> {
    let secret: Value = serde_json::from_str(text)?;
    Ok(secret["masterarn"].as_str().map(str::to_owned))
}

fn read(text: &str) -> anyhow::Result<Credentials> {
    // Without the cause, which may show the password.
    serde_json::from_str(text).map_err(|_| {
        anyhow::anyhow!("the secret has not the form of RDS: username, password, host")
    })
}
