//! Making, rotating and publishing the document that [`platform::secrets::Document`] reads.
//!
//! A key that is to sign is known everywhere one rotation before it does: its public half is
//! published as the next one. So no cache of the old document refuses the new tokens.

use anyhow::{Context, ensure};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::opaque_token::{random, sha256};

/// How long a public key stays after its last rotation: longer than its tokens live, than a cache
/// keeps an older document, and than a rotation that got stuck is tried again.
const KEPT: TimeDelta = TimeDelta::days(1);

/// A document with new keys throughout.
pub fn generate() -> anyhow::Result<String> {
    let (public, signing) = pair()?;
    let document = json!({
        "public_keys": [public],
        "signing_key": signing,
        "keys": symmetric(),
    });
    Ok(format!("{document:#}"))
}

/// The document with the next signing key, or with a new one where there is no next one, and with
/// a new next one. Public keys stay until their tokens have expired; symmetric keys stay.
///
/// # Errors
/// Where the document is no JSON object.
pub fn rotate(document: &str, now: DateTime<Utc>) -> anyhow::Result<String> {
    let mut document = object(document)?;
    let mut public_keys = list(&document["public_keys"]);
    for key in &mut public_keys {
        // Without an end: it was the current one until now, or the next.
        if key["until"].is_null() {
            key["until"] = json!(now + KEPT);
        }
    }
    public_keys.retain(|it| until(it).is_some_and(|until| now < until));
    let next = document["next_key"].take();
    let known = public_keys.iter().position(|it| it["kid"] == next["kid"]);
    let (mut public, signing) = match known {
        Some(index) => (public_keys.remove(index), next),
        None => pair()?,
    };
    public.as_object_mut().map(|it| it.remove("until"));
    let (next_public, next) = pair()?;
    public_keys.splice(0..0, [public, next_public]);
    document["public_keys"] = json!(public_keys);
    document["signing_key"] = signing;
    document["next_key"] = next;
    if document["keys"].is_null() {
        document["keys"] = symmetric();
    }
    Ok(format!("{document:#}"))
}

/// Another function's document with the public keys of auth's, and with its symmetric keys where
/// it has none. None where it says so already.
///
/// # Errors
/// Where one of them is no JSON object, or the other one is auth's own.
pub fn publish(auth: &str, other: &str) -> anyhow::Result<Option<String>> {
    let (auth, before) = (object(auth)?, object(other)?);
    ensure!(
        before["signing_key"].is_null(),
        "the secret to publish to has a signing key of its own: it is not another function's"
    );
    let mut document = before.clone();
    document["public_keys"] = auth["public_keys"].clone();
    if document["keys"].is_null() {
        document["keys"] = auth["keys"].clone();
    }
    Ok((document != before).then(|| format!("{document:#}")))
}

fn object(document: &str) -> anyhow::Result<Value> {
    // Without the cause, which may show what the document says.
    let value: Value = serde_json::from_str(document)
        .map_err(|err| anyhow::anyhow!("the secret is no JSON, line {}", err.line()))?;
    ensure!(value.is_object(), "the secret is not a JSON object");
    Ok(value)
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn until(key: &Value) -> Option<DateTime<Utc>> {
    key["until"].as_str()?.parse().ok()
}

fn symmetric() -> Value {
    json!({
        "platform": BASE64_STANDARD.encode(random()),
        "signing": BASE64_STANDARD.encode(random()),
    })
}

/// A public key and its signing key. The key id is the RFC 7638 thumbprint.
fn pair() -> anyhow::Result<(Value, Value)> {
    let key = KeyPair::generate(KeySize::Rsa2048).context("making an RSA key")?;
    let n =
        BASE64_URL_SAFE_NO_PAD.encode(key.public_key().modulus().big_endian_without_leading_zero());
    let e = BASE64_URL_SAFE_NO_PAD.encode(
        key.public_key()
            .exponent()
            .big_endian_without_leading_zero(),
    );
    let kid = thumbprint(&n, &e);
    let der: Pkcs8V1Der<'_> = key.as_der().context("writing an RSA key")?;
    let signing = json!({ "kid": kid, "private_pem": pem(der.as_ref()) });
    Ok((json!({ "kid": kid, "n": n, "e": e }), signing))
}

fn thumbprint(n: &str, e: &str) -> String {
    let key = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(sha256(key.as_bytes()))
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

#[cfg(test)]
mod tests {
    use platform::secrets::Document;

    use super::*;

    fn read(document: &str) -> Document {
        serde_json::from_str(document).unwrap()
    }

    /// The key ids in their order.
    fn kids(document: &str) -> Vec<String> {
        let keys = read(document).public_keys;
        keys.into_iter().map(|it| it.kid).collect()
    }

    fn mac(document: &str) -> [u8; 32] {
        read(document).keys.signing.current().mac("", &[])
    }

    #[test]
    fn a_key_is_published_one_rotation_before_it_signs() {
        let now = Utc::now();
        let first = generate().unwrap();
        let second = rotate(&first, now).unwrap();
        let third = rotate(&second, now).unwrap();
        let (a, b) = (kids(&first), kids(&second));
        assert_eq!((a.len(), b.len()), (1, 3));
        assert_eq!(b[2], a[0], "the one before stays");
        assert_eq!(kids(&third)[0], b[1], "the next one is the current one now");
        for document in [&first, &second, &third] {
            let signing = read(document).signing_key.unwrap();
            assert_eq!(signing.kid, kids(document)[0]);
            assert_eq!(mac(document), mac(&first));
        }
    }

    #[test]
    fn a_public_key_goes_when_its_tokens_are_gone() {
        let now = Utc::now();
        let first = generate().unwrap();
        let second = rotate(&first, now).unwrap();
        let soon = rotate(&second, now + TimeDelta::hours(1)).unwrap();
        assert_eq!(
            kids(&soon)[2..],
            [kids(&second)[0].clone(), kids(&first)[0].clone()]
        );
        let later = rotate(&soon, now + TimeDelta::hours(24)).unwrap();
        assert_eq!(kids(&later).len(), 4);
        assert!(!kids(&later).contains(&kids(&first)[0]));
    }

    #[test]
    fn a_skeleton_becomes_a_document() {
        for skeleton in ["{}", r#"{"made_by": "a template"}"#] {
            let document = rotate(skeleton, Utc::now()).unwrap();
            assert_eq!(kids(&document).len(), 2);
            assert_eq!(
                document.contains("a template"),
                skeleton.contains("a template")
            );
        }
        for wrong in ["", "[]", "a text", "null"] {
            assert!(rotate(wrong, Utc::now()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn others_get_the_public_keys_and_keep_what_is_theirs() {
        let auth = rotate("{}", Utc::now()).unwrap();
        let other = publish(&auth, r#"{"database": {"username": "u", "password": "p"}}"#);
        let other = other.unwrap().unwrap();
        assert_eq!((kids(&other), mac(&other)), (kids(&auth), mac(&auth)));
        assert!(read(&other).signing_key.is_none());
        assert!(!other.contains("PRIVATE"));
        assert_eq!(read(&other).database.unwrap().username, "u");
        assert_eq!(publish(&auth, &other).unwrap(), None);

        let rotated = rotate(&auth, Utc::now()).unwrap();
        assert!(publish(&auth, &rotated).is_err());
        let theirs = json!({ "keys": symmetric() }).to_string();
        let again = publish(&rotated, &theirs).unwrap().unwrap();
        assert_eq!(kids(&again), kids(&rotated));
        assert_ne!(mac(&again), mac(&auth));
    }

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_7638() {
        // The key of its section 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(
            thumbprint(n, "AQAB"),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }
}
