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
pub fn generate() -> anyhow::Result<String> {
    let (public, signing) = pair()?;
    let document = json!({
        "public_keys": [public],
        "signing_key": signing,
        "keys": {
            "platform": BASE64_STANDARD.encode(random()),
            "signing": BASE64_STANDARD.encode(random()),
        },
    });
    Ok(format!("{document:#}"))
}

/// The document with a new signing key. The one that was current stays for verification, until
/// the next rotation; older ones go. The symmetric keys stay.
pub fn rotate(document: &str) -> anyhow::Result<String> {
    let mut document: Value = serde_json::from_str(document)?;
    let kid = &document["signing_key"]["kid"];
    let current = document["public_keys"]
        .as_array()
        .and_then(|keys| keys.iter().find(|it| it["kid"] == *kid))
        .context("the document has no public key of its signing key")?;
    let (public, signing) = pair()?;
    document["public_keys"] = json!([public, current]);
    document["signing_key"] = signing;
    Ok(format!("{document:#}"))
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
    use platform::secrets::Secrets;

    use super::*;

    fn read(document: &str) -> Secrets {
        serde_json::from_str(document).unwrap()
    }

    #[test]
    fn rotating_keeps_the_last_public_key_and_the_symmetric_keys() {
        let first = generate().unwrap();
        let second = rotate(&first).unwrap();
        let third = read(&rotate(&second).unwrap());
        let (first, second) = (read(&first), read(&second));
        let kids =
            |it: &Secrets| -> Vec<_> { it.public_keys.iter().map(|key| key.kid.clone()).collect() };
        assert_eq!(kids(&first).len(), 1);
        assert_eq!(kids(&second)[1..], kids(&first));
        assert_eq!(kids(&third)[1..], kids(&second)[..1]);
        for secrets in [&first, &second, &third] {
            assert_eq!(secrets.signing_key.as_ref().unwrap().kid, kids(secrets)[0]);
        }
        let mac = |it: &Secrets| it.keys.signing.mac("", &[]);
        assert_eq!(mac(&first), mac(&third));
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
