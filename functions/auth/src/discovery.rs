//! What others need to verify our tokens: the public keys, and where they are.

use platform::secrets::PublicKey;
use serde_json::{Value, json};

/// The keys as a JWK set.
pub(crate) fn jwks(keys: &[PublicKey]) -> Value {
    let keys: Vec<_> = keys
        .iter()
        .map(|PublicKey { kid, n, e, .. }| {
            json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e })
        })
        .collect();
    json!({ "keys": keys })
}

/// Where what is.
pub(crate) fn configuration(issuer: &str) -> Value {
    let base = issuer.trim_end_matches('/');
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "token_endpoint": format!("{base}/api/v1/auth/login"),
        "userinfo_endpoint": format!("{base}/api/v1/auth/me"),
        "registration_endpoint": format!("{base}/api/v1/auth/register"),
        "token_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": ["password", "refresh_token"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["read", "ingest", "admin"],
        "claims_supported": [
            "iss", "aud", "sub", "user_id", "tenant_id", "role", "scopes",
            "iat", "nbf", "exp", "jti",
        ],
    })
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use platform::secrets::Document;

    use super::*;
    use crate::keys;

    #[test]
    fn a_jwk_says_nothing_but_the_public_key() {
        // Rotated, as the document then says more of its keys than how to verify.
        let document = keys::rotate(&keys::generate().unwrap(), Utc::now()).unwrap();
        let document: Document = serde_json::from_str(&document).unwrap();
        let found = jwks(&document.public_keys);
        let keys = found["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 3);
        for (key, of) in keys.iter().zip(&document.public_keys) {
            let expected = json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": of.kid, "n": of.n, "e": "AQAB",
            });
            assert_eq!(*key, expected);
        }
    }

    #[test]
    fn an_issuer_keeps_its_slash_and_its_endpoints_have_one() {
        for issuer in ["https://auth.example", "https://auth.example/"] {
            let found = configuration(issuer);
            // A verifier compares it with the claim, letter by letter.
            assert_eq!(found["issuer"], issuer);
            let jwks = "https://auth.example/.well-known/jwks.json";
            assert_eq!(found["jwks_uri"], jwks, "{issuer}");
        }
    }
}
