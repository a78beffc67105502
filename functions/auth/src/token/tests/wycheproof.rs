//! Project Wycheproof's JWS and JWK vectors, against the verifier as it is.
//!
//! A vector's payload holds no claims of ours, so none is ever good. Where the signature is
//! valid, RS256 and by a key of the vector's own, the refusal must be about the claims, which
//! are looked at last; everything else must be refused before. Vectors of other algorithms are
//! invalid to us whatever Wycheproof says of them.
//!
//! Not covered: a JWK's `use` and `key_ops`, which our key documents do not have, and keys made
//! by the defective generator of ROCA.

use std::path::Path;

use platform::auth::Verifier;
use platform::secrets::PublicKey;
use schema::Error;
use serde_json::{Value, json};

const ABOUT_THE_CLAIMS: &str = "the token lacks claims, or has malformed ones";
const NOT_COVERED: [&str; 4] = [
    "rejectWrongUse",
    "rejectsWrongUse",
    "rejectWrongKeyOps",
    "rejectsKeyWithRocaVulnerability",
];

#[test]
fn the_vectors_of_wycheproof_are_judged_as_they_say() {
    let Some(folder) = platform::env::optional::<std::path::PathBuf>("WYCHEPROOF_DIR").unwrap()
    else {
        println!("skipped: WYCHEPROOF_DIR is not set");
        return;
    };
    let mut valid = 0;
    for (file, vectors) in [
        ("json_web_signature_test.json", 401),
        ("json_web_key_test.json", 26),
    ] {
        let (judged, good) = judge_file(&folder.join(file));
        assert!(judged >= vectors - NOT_COVERED.len(), "{file}: {judged}");
        println!("{file}: {judged} judged, {good} of them valid");
        valid += good;
    }
    assert!(valid > 0, "no vector reached the signature");
}

/// How many vectors were judged, and how many of them valid.
fn judge_file(path: &Path) -> (usize, usize) {
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut judged, mut valid) = (0, 0);
    for group in document["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let comment = test["comment"].as_str().unwrap();
            if NOT_COVERED.contains(&comment) {
                continue;
            }
            let good = test["result"] == "valid" && is_ours(&group["public"]);
            let reached = judge(&group["public"], test["jws"].as_str().unwrap());
            assert_eq!(
                reached == ABOUT_THE_CLAIMS,
                good,
                "{comment}: {reached}: {test}"
            );
            judged += 1;
            valid += usize::from(good);
        }
    }
    (judged, valid)
}

fn judge(public: &Value, jws: &str) -> &'static str {
    let verifier = Verifier::new(String::new(), String::new());
    match verifier.verify(&keys(public), jws).map_err(Error::from) {
        Err(Error::Unauthenticated(reason)) => reason,
        other => panic!("{other:?}: {jws}"),
    }
}

fn is_ours(public: &Value) -> bool {
    jwks(public).into_iter().any(is_rs256)
}

fn is_rs256(key: &Value) -> bool {
    key["kty"] == "RSA" && key["alg"] == "RS256"
}

/// The RS256 keys of a vector; where it has none, ours, so that there is a verifier.
fn keys(public: &Value) -> Vec<PublicKey> {
    let found: Vec<_> = jwks(public)
        .into_iter()
        .filter(|it| is_rs256(it))
        .map(|it| {
            let kid = it["kid"].as_str().unwrap_or_default();
            json!({ "kid": kid, "n": it["n"], "e": it["e"] })
        })
        .map(|it| serde_json::from_value(it).unwrap())
        .collect();
    if found.is_empty() {
        super::SECRETS.public_keys.clone()
    } else {
        found
    }
}

fn jwks(public: &Value) -> Vec<&Value> {
    match public["keys"].as_array() {
        Some(keys) => keys.iter().collect(),
        None => vec![public],
    }
}
