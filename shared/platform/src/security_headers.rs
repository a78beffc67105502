//! What each answer tells browsers and caches, whatever the route.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// As a gateway sets it. A client that claims it over plain HTTP deceives itself only: browsers do
/// not believe the answer there.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Two years, in seconds.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Sets the headers. A route that says for how long its answer may be kept, says so itself; any
/// other answer may hold secrets or a tenant's records.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let over_tls = is_over_tls(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if over_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    response
}

fn is_over_tls(headers: &HeaderMap) -> bool {
    headers
        .get(FORWARDED_PROTO)
        .is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"https"))
}
