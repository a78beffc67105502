//! The documents: what a secret says, checked whole when it is read.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The secrets of a function. Only auth's has the signing key.
///
/// A field that is not known is let be: a document may be newer than the function that reads it.
#[derive(Deserialize)]
#[serde(try_from = "Fields")]
pub struct Document {
    /// Keys that tokens are verified with: the current one, the next one, and previous ones until
    /// their tokens have expired.
    pub public_keys: Vec<PublicKey>,
    /// The key that new tokens are signed with.
    pub signing_key: Option<SigningKey>,
    /// Keys for sealing and for signing what clients hand back.
    pub keys: Keys,
    /// Who signs in to the database.
    pub database: Option<Credentials>,
}

#[derive(Deserialize)]
struct Fields {
    public_keys: Vec<PublicKey>,
    signing_key: Option<SigningKey>,
    keys: Keys,
    database: Option<Credentials>,
}

/// An RSA public key, as a JWK names its parts.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Jwk")]
pub struct PublicKey {
    /// Key id.
    pub kid: String,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
    pub(crate) key: DecodingKey,
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    n: String,
    e: String,
}

/// An RSA private key.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Pem")]
pub struct SigningKey {
    /// Key id; one of `public_keys` has the same.
    pub kid: String,
    /// The key itself.
    pub key: EncodingKey,
}

#[derive(Deserialize)]
struct Pem {
    kid: String,
    /// PKCS#8.
    private_pem: SecretString,
}

/// Symmetric keys of 32 bytes, base64 in the document.
#[derive(Clone, Deserialize)]
#[serde(from = "Pairs")]
pub struct Keys {
    /// Seals what is stored, under a key derived from it for each tenant.
    pub platform: KeyRing,
    /// Signs cursors and derives refresh tokens.
    pub signing: KeyRing,
}

#[derive(Deserialize)]
struct Pairs {
    platform: Key,
    signing: Key,
    /// Pairs that nothing new is made with, but that open what was.
    #[serde(default)]
    previous: Vec<Pair>,
}

#[derive(Deserialize)]
struct Pair {
    platform: Key,
    signing: Key,
}

/// The keys of one purpose: the current one makes, each of them opens. Never empty.
#[derive(Clone)]
pub struct KeyRing(Vec<Key>);

/// One symmetric key. Never printed.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "SecretString")]
pub struct Key([u8; 32]);

/// Who signs in to a database, and perhaps where, as RDS writes its secrets.
#[derive(Clone, Deserialize)]
pub struct Credentials {
    /// The role.
    pub username: String,
    /// Its password.
    pub password: SecretString,
    /// Where the server is; needed where `DATABASE_URL` does not say it.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The database's name.
    pub dbname: Option<String>,
}

impl Document {
    /// Takes on the symmetric keys of the version before, to open with.
    pub(super) fn remember(&mut self, before: Document) {
        self.keys.platform.remember(before.keys.platform);
        self.keys.signing.remember(before.keys.signing);
    }
}

impl KeyRing {
    /// The key that makes.
    pub fn current(&self) -> &Key {
        self.0.first().expect("a ring is made with a key")
    }

    /// Each key, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    fn remember(&mut self, before: KeyRing) {
        for key in before.0 {
            if !self.0.contains(&key) {
                self.0.push(key);
            }
        }
    }
}

impl From<Key> for KeyRing {
    fn from(key: Key) -> KeyRing {
        KeyRing(vec![key])
    }
}

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

impl TryFrom<Fields> for Document {
    type Error = &'static str;
    fn try_from(fields: Fields) -> Result<Document, &'static str> {
        let Fields {
            public_keys,
            signing_key,
            keys,
            database,
        } = fields;
        if public_keys.is_empty() {
            return Err("public_keys has no key");
        }
        let has = |kid: &str| public_keys.iter().any(|it| it.kid == kid);
        if signing_key.as_ref().is_some_and(|it| !has(&it.kid)) {
            return Err(
                "no public key has the kid of the signing key, so its tokens could not be verified",
            );
        }
        Ok(Document {
            public_keys,
            signing_key,
            keys,
            database,
        })
    }
}

impl TryFrom<Jwk> for PublicKey {
    type Error = &'static str;
    fn try_from(Jwk { kid, n, e }: Jwk) -> Result<PublicKey, &'static str> {
        let key = DecodingKey::from_rsa_components(&n, &e)
            .map_err(|_| "the public key's n and e are not base64url")?;
        Ok(PublicKey { kid, n, e, key })
    }
}

impl TryFrom<Pem> for SigningKey {
    type Error = &'static str;
    fn try_from(pem: Pem) -> Result<SigningKey, &'static str> {
        let key = EncodingKey::from_rsa_pem(pem.private_pem.expose_secret().as_bytes())
            .map_err(|_| "the private key is no RSA key in PEM")?;
        Ok(SigningKey { kid: pem.kid, key })
    }
}

impl From<Pairs> for Keys {
    fn from(pairs: Pairs) -> Keys {
        let mut keys = Keys {
            platform: pairs.platform.into(),
            signing: pairs.signing.into(),
        };
        for pair in pairs.previous {
            keys.platform.remember(pair.platform.into());
            keys.signing.remember(pair.signing.into());
        }
        keys
    }
}

impl TryFrom<SecretString> for Key {
    type Error = &'static str;
    fn try_from(text: SecretString) -> Result<Key, &'static str> {
        let bytes = BASE64_STANDARD
            .decode(text.expose_secret())
            .map_err(|_| "not base64")?;
        bytes.try_into().map(Key).map_err(|_| "a key has 32 bytes")
    }
}
