//! What the verifier takes: what we sign, and nothing else.

mod wycheproof;

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use platform::auth::Verifier;
use platform::config::{AUDIENCE, LOCAL_ISSUER};
use serde_json::{Value, json};

use jsonwebtoken::EncodingKey;

use super::*;
use crate::keys;

const GOOD: &str = "it is good";

static SECRETS: LazyLock<Document> = LazyLock::new(secrets);

fn secrets() -> Document {
    serde_json::from_str(&keys::generate().unwrap()).unwrap()
}

fn realm() -> Realm {
    Realm {
        issuer: LOCAL_ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
    }
}

fn sign(secrets: &Document, realm: Realm, now: DateTime<Utc>) -> String {
    let account = Account {
        tenant: TenantId(Uuid::now_v7()),
        user: UserId(Uuid::now_v7()),
        epoch: 0,
        role: Role::Member,
    };
    Signer::new(realm).sign(secrets, &account, now).unwrap()
}

/// A token signed now, for a realm that was changed.
fn token(change: impl FnOnce(&mut Realm)) -> String {
    let mut realm = realm();
    change(&mut realm);
    sign(&SECRETS, realm, Utc::now())
}

/// A good signature over any header and any claims.
fn signed(header: &Value, claims: &Value) -> String {
    let part = |it: &Value| BASE64_URL_SAFE_NO_PAD.encode(it.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let key = &SECRETS.signing_key.as_ref().unwrap().key;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::RS256);
    format!("{message}.{}", signature.unwrap())
}

fn header(change: Value) -> Value {
    let kid = &SECRETS.public_keys[0].kid;
    let mut header = json!({ "alg": "RS256", "typ": TYPE, "kid": kid });
    merge(&mut header, change);
    header
}

fn claims(change: Value) -> Value {
    let (now, id) = (Utc::now().timestamp(), Uuid::now_v7());
    let mut claims = json!({
        "iss": LOCAL_ISSUER, "aud": AUDIENCE, "sub": id, "user_id": id, "tenant_id": id,
        "role": "admin", "scopes": ["read"], "iat": now, "nbf": now, "exp": now + 60, "jti": id,
    });
    merge(&mut claims, change);
    claims
}

/// Sets the fields, and takes away those that are null.
fn merge(target: &mut Value, change: Value) {
    let target = target.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            target.remove(name);
        } else {
            target.insert(name.clone(), value.clone());
        }
    }
}

fn verdict(token: &str) -> &'static str {
    let Realm { issuer, audience } = realm();
    let verifier = Verifier::new(issuer, audience);
    let verified = verifier.verify(&SECRETS.public_keys, token);
    match verified.map_err(Error::from) {
        Ok(_) => GOOD,
        Err(Error::Unauthenticated(reason)) => reason,
        Err(other) => panic!("{other}"),
    }
}

fn check(token: &str, expected: &str) {
    let found = verdict(token);
    assert!(
        found.contains(expected),
        "{found}, not {expected}: {token:.200}"
    );
}

fn check_header(change: Value, expected: &str) {
    check(&signed(&header(change), &claims(json!({}))), expected);
}

fn check_claims(change: Value, expected: &str) {
    check(&signed(&header(json!({})), &claims(change)), expected);
}

#[test]
fn what_we_sign_is_good_for_half_an_hour() {
    let now = Utc::now();
    let at = |now| sign(&SECRETS, realm(), now);
    check(&at(now), GOOD);
    check(&at(now - TimeDelta::minutes(29)), GOOD);
    check(&at(now - TimeDelta::minutes(31)), "has expired");
    check(&at(now + TimeDelta::minutes(1)), "not valid yet");
}

#[test]
fn the_clocks_may_differ_by_seconds() {
    let now = Utc::now().timestamp();
    check_claims(json!({ "exp": now - 2 }), GOOD);
    check_claims(json!({ "exp": now - 10 }), "has expired");
    check_claims(json!({ "nbf": now + 2 }), GOOD);
    check_claims(json!({ "nbf": now + 10 }), "not valid yet");
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let other = "https://other.example".to_owned();
    check(&token(|it| it.issuer = other.clone()), "another issuer");
    check(&token(|it| it.audience = other), "another audience");
    check_claims(json!({ "iss": [LOCAL_ISSUER, "x"] }), "claims");
}

#[test]
fn another_key_is_refused_under_our_name_and_its_own() {
    let mut other = secrets();
    let theirs = |other: &Document| sign(other, realm(), Utc::now());
    check(&theirs(&other), "a key that is not known");
    let ours = SECRETS.public_keys[0].kid.clone();
    other.signing_key.as_mut().unwrap().kid = ours;
    check(&theirs(&other), "signature is wrong");
    check_header(json!({ "kid": null }), "names no key");
    check_header(
        json!({ "kid": "../../dev/null" }),
        "a key that is not known",
    );
}

#[test]
fn the_previous_key_verifies_until_its_tokens_are_gone() {
    let now = Utc::now();
    let first = keys::generate().unwrap();
    let second = keys::rotate(&first, now).unwrap();
    let third = keys::rotate(&second, now + TimeDelta::days(2)).unwrap();
    let read = |text: &String| -> Document { serde_json::from_str(text).unwrap() };
    let token = sign(&read(&first), realm(), now);
    for (document, good) in [(&first, true), (&second, true), (&third, false)] {
        let Realm { issuer, audience } = realm();
        let verifier = Verifier::new(issuer, audience);
        let verified = verifier.verify(&read(document).public_keys, &token);
        assert_eq!(verified.is_ok(), good);
    }
}

#[test]
fn one_algorithm_is_taken() {
    for alg in ["none", "None", "NONE", "", "RS255"] {
        check_header(json!({ "alg": alg }), "malformed");
    }
    for alg in ["HS256", "PS256", "RS384", "RS512", "ES256", "EdDSA"] {
        check_header(json!({ "alg": alg }), "not RS256");
    }
    // The signature that an `alg: none` has: none.
    let good = token(|_| {});
    let claims = good.split('.').nth(1).unwrap();
    let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
    check(&format!("{none}.{claims}."), "malformed");
}

#[test]
fn the_public_key_is_no_secret_for_hmac() {
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(SECRETS.public_keys[0].kid.clone());
    let public = &SECRETS.public_keys[0];
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(&public.n).unwrap();
    for secret in [public.n.as_bytes(), &modulus] {
        let key = EncodingKey::from_secret(secret);
        let token = encode(&header, &claims(json!({})), &key).unwrap();
        check(&token, "not RS256");
    }
}

#[test]
fn a_header_that_brings_a_key_is_refused() {
    let public = &SECRETS.public_keys[0];
    let jwk = json!({ "kty": "RSA", "n": public.n, "e": public.e });
    check_header(json!({ "jwk": jwk }), "brings its own key");
    check_header(
        json!({ "jku": "https://evil.example/jwks" }),
        "brings its own key",
    );
    check_header(
        json!({ "x5u": "https://evil.example/x5u" }),
        "brings its own key",
    );
    check_header(json!({ "x5c": ["MIIB"] }), "brings its own key");
}

#[test]
fn a_header_with_more_or_less_is_refused() {
    check_header(json!({}), GOOD);
    check_header(json!({ "typ": null }), "no access token");
    check_header(json!({ "typ": "JWT" }), "no access token");
    check_header(json!({ "crit": ["exp"] }), "an extension");
    check_header(json!({ "crit": ["b64"], "b64": false }), "an extension");
}

#[test]
fn claims_that_are_not_ours_are_refused() {
    check_claims(json!({}), GOOD);
    for name in [
        "exp",
        "nbf",
        "iss",
        "aud",
        "sub",
        "tenant_id",
        "role",
        "scopes",
        "jti",
    ] {
        check_claims(json!({ name: null }), "claims");
    }
    check_claims(json!({ "exp": "tomorrow" }), "claims");
    check_claims(json!({ "exp": -1 }), "claims");
    check_claims(json!({ "tenant_id": "default" }), "claims");
    check_claims(json!({ "role": "root" }), "claims");
    check_claims(json!({ "scopes": ["everything"] }), "claims");
}

#[test]
fn a_changed_token_is_refused() {
    let good = token(|_| {});
    let parts: Vec<_> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let other = claims(json!({ "role": "admin" })).to_string();
    let other = BASE64_URL_SAFE_NO_PAD.encode(other);
    check(&format!("{head}.{other}.{signature}"), "signature is wrong");
    check(&format!("{head}.{body}."), "signature is wrong");
    for text in [
        "",
        ".",
        "..",
        "invalid.token.here",
        head,
        &format!("{head}.{body}"),
        &format!("{good}.{signature}"),
        &format!("{good}="),
        &format!("{head}.{body}. {signature}"),
    ] {
        assert_ne!(verdict(text), GOOD, "{text}");
    }
    for length in 0..good.len() {
        assert_ne!(verdict(&good[..length]), GOOD, "{length} of {}", good.len());
    }
}

#[test]
fn a_token_of_ten_megabytes_is_not_even_read() {
    let long = claims(json!({ "more": "a".repeat(10 << 20) }));
    check(
        &signed(&header(json!({})), &long),
        "longer than one of ours",
    );
    check(&"a.".repeat(5 << 20), "longer than one of ours");
}

#[test]
fn our_own_tokens_are_far_from_the_longest() {
    assert!(token(|_| {}).len() < 2048);
}
