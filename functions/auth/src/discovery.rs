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
