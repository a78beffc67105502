//! Making and rotating the secrets document that [`platform::secrets::Secrets`] reads.

use anyhow::Context;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::opaque::{random, sha256};

/// A document with new keys throughout.
pub fn generate() -> Value {
    let (public, signing) = pair();
    json!({
        "public_keys": [public],
        "signing_key": signing,
        "keys": {
            "platform": BASE64_STANDARD.encode(random()),
            "signing": BASE64_STANDARD.encode(random()),
        },
    })
}

/// The document with a new signing key. The one that was current stays for verification, until
/// the next rotation; older ones go. The symmetric keys stay.
pub fn rotate(document: &Value) -> anyhow::Result<Value> {
    let kid = &document["signing_key"]["kid"];
    let current = document["public_keys"]
        .as_array()
        .and_then(|keys| keys.iter().find(|it| it["kid"] == *kid))
        .context("the document has no public key of its signing key")?;
    let (public, signing) = pair();
    let mut next = document.clone();
    next["public_keys"] = json!([public, current]);
    next["signing_key"] = signing;
    Ok(next)
}

/// A public key and its signing key. The key id is the RFC 7638 thumbprint.
fn pair() -> (Value, Value) {
    let key = KeyPair::generate(KeySize::Rsa2048).expect("the system's randomness is there");
    let n =
        BASE64_URL_SAFE_NO_PAD.encode(key.public_key().modulus().big_endian_without_leading_zero());
    let e = BASE64_URL_SAFE_NO_PAD.encode(
        key.public_key()
            .exponent()
            .big_endian_without_leading_zero(),
    );
    let thumbprint = sha256(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes());
    let kid = BASE64_URL_SAFE_NO_PAD.encode(thumbprint);
    let der: Pkcs8V1Der<'_> = key.as_der().expect("a new key can be written");
    let signing = json!({ "kid": kid, "private_pem": pem(der.as_ref()) });
    (json!({ "kid": kid, "n": n, "e": e }), signing)
}

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = (0..text.len())
        .step_by(64)
        .map(|it| &text[it..text.len().min(it + 64)])
        .collect();
    let body = lines.join("\n");
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}
