//! Verifying access tokens, after RFC 8725: one algorithm, one type, known keys only.

use anyhow::Context;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
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
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with the reason. It helps the honest; a forger has no use of it.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        self.check(token).map_err(Error::Unauthenticated)
    }

    fn check(&self, token: &str) -> Result<Claims, &'static str> {
        if token.len() > LONGEST {
            return Err("the token is longer than one of ours");
        }
        let header = decode_header(token).map_err(|_| "the token is malformed")?;
        if brings_key(&header) {
            return Err("the token brings its own key");
        }
        if header.crit.is_some() {
            return Err("the token asks for an extension that is not known");
        }
        let kid = header.kid.as_ref().ok_or("the token names no key")?;
        let known = self.keys.iter().find(|it| it.0 == *kid);
        let (_, key) = known.ok_or("the token names a key that is not known")?;
        let claims = decode::<Claims>(token, key, &self.validation)
            .map_err(|err| reason(err.kind()))?
            .claims;
        // An ID token or a link's token of the same key opens nothing here.
        if header.typ.as_deref() != Some(TYPE) {
            return Err("the token is no access token");
        }
        Ok(claims)
    }
}

/// Whether the header says where the key is. That is an attack, whatever the key.
fn brings_key(header: &Header) -> bool {
    header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some()
}

fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not RS256",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        // The header was read and the signature holds: only the claims are left.
        ErrorKind::Json(_)
        | ErrorKind::MissingRequiredClaim(_)
        | ErrorKind::InvalidClaimFormat(_) => "the token's claims are not ours",
        _ => "the token is malformed",
    }
}
