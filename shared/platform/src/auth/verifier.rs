//! Verifying access tokens, after RFC 8725: one algorithm, one type, known keys only.

use anyhow::Context;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use schema::{Error, Result};

use super::claims::{Claims, TYPE};
use crate::secrets::PublicKey;

// Ours have about 900 bytes. A longer one is not worth parsing.
const LONGEST: usize = 4096;
// Clocks of two machines differ by less.
const LEEWAY_SECS: u64 = 5;

/// Verifies access tokens with public keys.
pub struct Verifier {
    keys: Vec<(String, DecodingKey)>,
    validation: Validation,
}

impl Verifier {
    /// A verifier that believes these keys.
    pub fn new(keys: &[PublicKey], issuer: String, audience: String) -> anyhow::Result<Verifier> {
        let keys = keys
            .iter()
            .map(|it| {
                let key = DecodingKey::from_rsa_components(&it.n, &it.e)
                    .with_context(|| format!("public key `{}`", it.kid))?;
                Ok((it.kid.clone(), key))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::ensure!(!keys.is_empty(), "the secrets hold no public key");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECS;
        Ok(Verifier { keys, validation })
    }

    /// The claims of a valid token.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        let invalid = || Error::Unauthenticated("the token is not valid");
        if token.len() > LONGEST {
            return Err(invalid());
        }
        let header = decode_header(token).map_err(|_| invalid())?;
        // A header that brings its own key is an attack, whatever the key.
        let brings_key = header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some();
        if brings_key || header.typ.as_deref() != Some(TYPE) {
            return Err(invalid());
        }
        let kid = header.kid.ok_or_else(invalid)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|it| it.0 == kid)
            .ok_or_else(invalid)?;
        match decode::<Claims>(token, key, &self.validation) {
            Ok(data) => Ok(data.claims),
            Err(err) => Err(match err.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => {
                    Error::Unauthenticated("the token has expired")
                }
                _ => invalid(),
            }),
        }
    }
}
