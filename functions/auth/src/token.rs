//! Signing access tokens.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use platform::auth::claims::{Claims, TYPE};
use platform::config::Realm;
use platform::secrets::Secrets;
use schema::{Error, Role, TenantId, UserId};
use secrecy::ExposeSecret;
use uuid::Uuid;

/// How long an access token is good for.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// Whom a token speaks for.
pub(crate) struct Account {
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) role: Role,
}

/// Signs access tokens with the current key.
pub(crate) struct Signer {
    header: Header,
    key: EncodingKey,
    realm: Realm,
}

impl Signer {
    pub(crate) fn new(secrets: &Secrets, realm: Realm) -> anyhow::Result<Signer> {
        let signing = secrets
            .signing_key
            .as_ref()
            .context("the secrets hold no signing_key: auth cannot sign without")?;
        let verifiable = secrets.public_keys.iter().any(|it| it.kid == signing.kid);
        anyhow::ensure!(
            verifiable,
            "no public key has the signing key's kid `{}`: nobody could verify its tokens",
            signing.kid
        );
        let key = EncodingKey::from_rsa_pem(signing.private_pem.expose_secret().as_bytes())
            .with_context(|| format!("signing key `{}`", signing.kid))?;
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(signing.kid.clone());
        Ok(Signer { header, key, realm })
    }

    /// An access token, good from now on.
    pub(crate) fn sign(&self, account: &Account, now: DateTime<Utc>) -> schema::Result<String> {
        let claims = Claims {
            iss: self.realm.issuer.clone(),
            aud: self.realm.audience.clone(),
            sub: account.user,
            user_id: account.user,
            tenant_id: account.tenant,
            role: account.role,
            scopes: account.role.scopes().to_vec(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
            jti: Uuid::now_v7(),
        };
        encode(&self.header, &claims, &self.key).map_err(|err| Error::Internal(err.into()))
    }
}

#[cfg(test)]
mod tests;
