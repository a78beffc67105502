//! What the API is, of all functions together: a document for programs and a page for people.
//!
//! **Invariant:** nothing is parsed or made at the start. A test compares the document with the
//! routers, and writes it anew when it is told to.

use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use platform::{Platform, Routes, etag, routes};

const DOCUMENT: &str = include_str!("../../openapi.json");
const PAGE: &str = include_str!("../../docs.html");
/// The page asks this origin only, and shows nothing of another.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

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
    let policy = HeaderName::from_static("content-security-policy");
    let page = etag::answer_public(&headers, "text/html; charset=utf-8", PAGE);
    ([(policy, POLICY)], page)
}
