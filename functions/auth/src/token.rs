//! Signing access tokens.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, encode};
use platform::auth::claims::{Claims, TYPE};
use platform::config::Realm;
use platform::secrets::Document;
use schema::{Error, Role, TenantId, UserId};
use uuid::Uuid;

/// How long an access token is good for.
pub(crate) const LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// Whom a token speaks for.
pub(crate) struct Account {
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) role: Role,
    /// How often their access tokens have been ended: see [`crate::db::users::end_tokens`].
    pub(crate) epoch: i32,
}

/// Signs access tokens.
pub(crate) struct Signer {
    realm: Realm,
}

impl Signer {
    pub(crate) fn new(realm: Realm) -> Signer {
        Signer { realm }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.realm.issuer
    }

    /// An access token, good from now on, signed with the current key.
    pub(crate) fn sign(
        &self,
        secrets: &Document,
        account: &Account,
        now: DateTime<Utc>,
    ) -> schema::Result<String> {
        let key = secrets.signing_key.as_ref().ok_or(NO_KEY)?;
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
            epoch: account.epoch,
            jti: Uuid::now_v7(),
        };
        encode(&header(&key.kid), &claims, &key.key).map_err(|err| Error::Internal(err.into()))
    }
}

const NO_KEY: Error = Error::Unavailable("the secret holds no signing_key: auth signs with it");

fn header(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(kid.to_owned());
    header
}

#[cfg(test)]
mod tests;
