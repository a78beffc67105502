//! Answers that a client need not be sent twice (RFC 9110, section 13).

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The body with its tag, or 304 where the client has it. The tag is the text between the quotes,
/// `cache` says who may keep the body.
pub fn answer(
    request: &HeaderMap,
    tag: &str,
    kind: &'static str,
    cache: &'static str,
    body: impl Into<Body>,
) -> Response {
    let tag = format!("\"{tag}\"");
    let mut response = if has(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = HeaderValue::from_static(kind);
        ([(header::CONTENT_TYPE, kind)], body.into()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        tag.parse().expect("a tag is quoted hexadecimal"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
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
