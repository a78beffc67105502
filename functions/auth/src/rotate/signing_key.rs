//! Rotating the key that tokens are signed with.
//!
//! No request fails while it runs: who verifies knows the new key before auth signs with it, and
//! the old one for as long as its tokens live.

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use platform::auth::Verifier;
use platform::config::Realm;
use platform::secrets::Document;
use schema::{Role, TenantId, UserId};
use uuid::Uuid;

use super::{Pending, Rotation, RotationStep};
use crate::keys;
use crate::token::{Account, Signer};

impl Rotation {
    pub(super) async fn signing_key(
        &self,
        step: RotationStep,
        pending: &Pending,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        match (step, &pending.text) {
            (RotationStep::CreateSecret, None) => {
                let current = self.vault.current(&pending.secret).await?;
                let rotated = keys::rotate(current.as_deref().unwrap_or("{}"), now)?;
                self.vault.fill(pending, rotated).await
            }
            (RotationStep::SetSecret, Some(document)) => self.publish(document).await,
            (RotationStep::TestSecret, Some(document)) => self.try_out(document, now).await,
            _ => Ok(()),
        }
    }

    /// Tells those who verify the public keys.
    async fn publish(&self, auth: &str) -> anyhow::Result<()> {
        for id in &self.public {
            let current = self.vault.current(id).await?;
            let published = keys::publish(auth, current.as_deref().unwrap_or("{}"));
            if let Some(changed) = published.with_context(|| id.clone())? {
                self.vault.replace(id, changed).await?;
            }
        }
        Ok(())
    }

    /// Signs as auth will, and verifies as the others will.
    async fn try_out(&self, auth: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let document = read(auth).context("the new version")?;
        let nobody = Account {
            tenant: TenantId(Uuid::nil()),
            user: UserId(Uuid::nil()),
            epoch: 0,
            role: Role::Viewer,
        };
        let token = Signer::new(self.realm.clone()).sign(&document, &nobody, now)?;
        let Realm { issuer, audience } = self.realm.clone();
        let verifier = Verifier::new(issuer, audience);
        let believes = |it: &Document| verifier.verify(&it.public_keys, &token).is_ok();
        ensure!(believes(&document), "the new version refuses its own token");
        for id in &self.public {
            let theirs = self.vault.current(id).await?.unwrap_or_default();
            let theirs = read(&theirs).with_context(|| id.clone())?;
            ensure!(
                believes(&theirs),
                "{id} does not know the new key: setSecret has not run"
            );
        }
        Ok(())
    }
}

fn read(document: &str) -> anyhow::Result<Document> {
    // Without the cause, which may show what the document says.
    let read = serde_json::from_str(document);
    read.map_err(|err| anyhow::anyhow!("the document is malformed in line {}", err.line()))
}
