//! What a verifier needs to know, such as API Gateway's own JWT authoriser.

use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use platform::extract::Json;
use platform::{Result, Routes, routes};

use crate::{App, discovery};

pub(super) fn router() -> Routes<App> {
    Routes::new()
        .routes(routes!(jwks))
        .routes(routes!(configuration))
}

// Short enough that a new key is known before the tokens it signs are many.
const CACHE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=300")];

/// The public keys, the current one first, as a JWK set (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth",
    operation_id = "discovery.jwks", responses((status = 200, body = Object)))]
async fn jwks(State(app): State<App>) -> Result<impl IntoResponse> {
    let secrets = app.platform.secrets.get().await?;
    Ok((CACHE, Json(discovery::jwks(&secrets.public_keys))))
}

/// The issuer and where its keys are, in the terms of OpenID Connect Discovery.
///
/// The endpoints it names take and give JSON as this document says, not OAuth's forms.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "auth",
    operation_id = "discovery.configuration", responses((status = 200, body = Object)))]
async fn configuration(State(app): State<App>) -> impl IntoResponse {
    (CACHE, Json(discovery::configuration(app.signer.issuer())))
}
