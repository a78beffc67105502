//! What the API is, of all functions together: a document for programs and a page for people.
//!
//! The page is Swagger UI, which the crate `utoipa-swagger-ui-vendored` carries: `build.rs` takes it
//! from there.
//!
//! **Invariant:** nothing is parsed or made at the start. A test compares the document with the
//! routers, and writes it anew when it is told to.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::extract::Path;
use platform::{Platform, Result, Routes, etag, routes};
use schema::Error;
use utoipa::ToSchema;

const DOCUMENT: &str = include_str!("../../openapi.json");
const PAGE: &str = include_str!("../../docs/page.html");
const VIEWER: &str = include_str!("../../docs/viewer.js");
/// As every browser takes it.
const BUNDLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"));
const STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"));
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The page asks this origin only, and runs nothing but its files. Pictures are in the style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(document))
        .routes(routes!(page))
        .routes(routes!(file))
}

/// This document: the whole API in OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "docs",
    operation_id = "docs.document", responses((status = 200, body = Object)))]
async fn document(headers: HeaderMap) -> Response {
    etag::answer_public(&headers, "application/json", DOCUMENT.as_bytes())
}

/// A page on which the API can be read and tried.
#[utoipa::path(get, path = "/docs", tag = "docs",
    operation_id = "docs.page",
    responses((status = 200, content_type = "text/html", body = String)))]
async fn page(headers: HeaderMap) -> impl IntoResponse {
    let page = etag::answer_public(&headers, "text/html; charset=utf-8", PAGE.as_bytes());
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], page)
}

/// A file of the page.
#[derive(ToSchema)]
#[schema(title = "PageFile")]
#[expect(dead_code, reason = "the words of a path")]
enum PageFile {
    #[schema(rename = "swagger-ui-bundle.js")]
    Bundle,
    #[schema(rename = "swagger-ui.css")]
    Style,
    #[schema(rename = "viewer.js")]
    Viewer,
}

/// The files that the page is made of.
#[utoipa::path(get, path = "/docs/{file}", tag = "docs", operation_id = "docs.file",
    params(("file" = inline(PageFile), Path)), responses(
        (status = 200, description = "The file.", content(
            (String = "text/javascript"), (String = "text/css"),
        ))))]
async fn file(Path(file): Path<String>, headers: HeaderMap) -> Result<Response> {
    let (kind, bytes) = match &*file {
        "swagger-ui-bundle.js" => ("text/javascript; charset=utf-8", BUNDLE),
        "swagger-ui.css" => ("text/css; charset=utf-8", STYLE),
        "viewer.js" => ("text/javascript; charset=utf-8", VIEWER.as_bytes()),
        _ => return Err(Error::NotFound { what: "file" }.into()),
    };
    let mut answer = etag::answer_public(&headers, kind, bytes);
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]);
    if is_packed && answer.status() == StatusCode::OK {
        answer.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
    }
    Ok(answer)
}
