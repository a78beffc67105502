//! Verifying access tokens, after RFC 8725: one algorithm, one type, known keys only.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use schema::Error;

use super::claims::{Claims, TYPE};
use crate::secrets::PublicKey;

// Ours have about 900 bytes. A longer one is not worth parsing.
const MAX_TOKEN: usize = 4096;
// Clocks of two machines differ by less.
const LEEWAY_SECS: u64 = 5;

/// Verifies access tokens with public keys.
pub struct Verifier {
    validation: Validation,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Refusal {
    /// No key has its `kid`: it is forged, or the keys are not the newest.
    UnknownKey,
    /// Anything else, whatever the keys. It helps the honest; a forger has no use of it.
    Wrong(&'static str),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Unauthenticated(match refusal {
            Refusal::UnknownKey => "the token names a key that is not known",
            Refusal::Wrong(reason) => reason,
        })
    }
}

impl From<&'static str> for Refusal {
    fn from(reason: &'static str) -> Refusal {
        Refusal::Wrong(reason)
    }
}

impl Verifier {
    /// A verifier of the tokens of this issuer for this audience.
    pub fn new(issuer: String, audience: String) -> Verifier {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECS;
        Verifier { validation }
    }

    /// The claims of a token that one of the keys has signed.
    pub fn verify(&self, keys: &[PublicKey], token: &str) -> Result<Claims, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(Refusal::Wrong("the token is longer than one of ours"));
        }
        let header = decode_header(token).map_err(|_| "the token is malformed")?;
        if brings_key(&header) {
            return Err(Refusal::Wrong("the token brings its own key"));
        }
        if header.crit.is_some() {
            return Err(Refusal::Wrong(
                "the token asks for an extension that is not known",
            ));
        }
        let kid = header.kid.as_ref().ok_or("the token names no key")?;
        let known = keys.iter().find(|it| it.kid == *kid);
        let key = known.ok_or(Refusal::UnknownKey)?;
        let claims = decode::<Claims>(token, &key.key, &self.validation)
            .map_err(|err| reason(err.kind()))?
            .claims;
        // An ID token or a link's token of the same key opens nothing here.
        if header.typ.as_deref() != Some(TYPE) {
            return Err(Refusal::Wrong("the token is no access token"));
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
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not RS256",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        // The header was read and the signature holds: only the claims are left.
        ErrorKind::Json(_)
        | ErrorKind::MissingRequiredClaim(_)
        | ErrorKind::InvalidClaimFormat(_) => "the token lacks claims, or has malformed ones",
        _ => "the token is malformed",
    }
}
