//! Answers that a client need not be sent twice (RFC 9110, section 13).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::secrets::Key;

/// The JSON text with its tag, or 304 where the client has it.
pub(crate) fn answer(key: &Key, request: &HeaderMap, body: Vec<u8>) -> Response {
    let tag = tag(key, &body);
    let mut response = if has(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, kind)], body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        tag.parse().expect("a tag is quoted hexadecimal"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    response
}

fn tag(key: &Key, body: &[u8]) -> String {
    let mac = key.mac("etag", &[body]);
    let digits: String = mac[..16].iter().map(|it| format!("{it:02x}")).collect();
    format!("\"{digits}\"")
}

fn has(request: &HeaderMap, tag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(str::trim)
        .any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag)
}
