//! The secrets of a function: one JSON document.

use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;
use serde::Deserialize;

/// The document. Only auth's has the signing key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Keys that tokens are verified with: the current one, and the previous one until its
    /// tokens have expired.
    pub public_keys: Vec<PublicKey>,
    /// The key that new tokens are signed with.
    pub signing_key: Option<SigningKey>,
    /// Keys for sealing and for signing what clients hand back.
    pub keys: Keys,
}

/// An RSA public key, as a JWK names its parts.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// Key id.
    pub kid: String,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
}

/// An RSA private key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    /// Key id; one of `public_keys` has the same.
    pub kid: String,
    /// PKCS#8, PEM.
    pub private_pem: SecretString,
}

/// Symmetric keys of 32 bytes, base64 in the document.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Seals what is stored, under a key derived from it for each tenant.
    pub platform: Key,
    /// Signs cursors and derives refresh tokens.
    pub signing: Key,
}

/// One symmetric key. Never printed.
#[derive(Clone, Deserialize)]
#[serde(try_from = "SecretString")]
pub struct Key([u8; 32]);

impl Key {
    /// The key from its bytes.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA-256 of the parts. `purpose` keeps the uses of one key apart.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        use aws_lc_rs::hmac;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

impl TryFrom<SecretString> for Key {
    type Error = &'static str;
    fn try_from(text: SecretString) -> Result<Key, &'static str> {
        use secrecy::ExposeSecret;
        let bytes = BASE64_STANDARD
            .decode(text.expose_secret())
            .map_err(|_| "not base64")?;
        bytes.try_into().map(Key).map_err(|_| "a key has 32 bytes")
    }
}

impl Secrets {
    /// Reads the document from a file.
    pub fn from_file(path: &Path) -> anyhow::Result<Secrets> {
        let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Reads the document from the file that `SECRETS_FILE` names.
    pub fn from_env() -> anyhow::Result<Secrets> {
        Secrets::from_file(&crate::env::required::<std::path::PathBuf>("SECRETS_FILE")?)
    }
}
