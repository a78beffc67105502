//! What the API is, of all functions together: a document for programs and a page for people.
//!
//! **Invariant:** nothing is parsed or made at the start. A test compares the document with the
//! routers, and writes it anew when it is told to.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use platform::{Platform, Routes, csp, etag, routes};

const DOCUMENT: &str = include_str!("../../openapi.json");
const PAGE: &str = include_str!("../../docs.html");
/// The page asks this origin only, and runs and shows nothing but what is in it.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        csp::hash_of("script", PAGE),
        csp::hash_of("style", PAGE),
    );
    policy.try_into().expect("it is ASCII")
});

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(document))
        .routes(routes!(page))
}

/// This document: the whole API in OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "docs",
    operation_id = "docs.document", responses((status = 200, body = Object)))]
async fn document(headers: HeaderMap) -> Response {
    etag::answer_public(&headers, "application/json", DOCUMENT)
}

/// A page on which the API can be read and tried.
#[utoipa::path(get, path = "/docs", tag = "docs",
    operation_id = "docs.page",
    responses((status = 200, content_type = "text/html", body = String)))]
async fn page(headers: HeaderMap) -> impl IntoResponse {
    let page = etag::answer_public(&headers, "text/html; charset=utf-8", PAGE);
    let policy = (header::CONTENT_SECURITY_POLICY, POLICY.clone());
    ([policy], page)
}
