//! Answers that a client need not be sent twice (RFC 9110, section 13). Their tags are weak: one
//! names what is said, whether it is sent compressed or not.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::secrets::Key;

/// What is the same for everybody, or 304 where the client has it.
pub fn answer_public(request: &HeaderMap, kind: &'static str, body: &'static [u8]) -> Response {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let body = ([(header::CONTENT_TYPE, kind)], body);
    answer(request, &tag, "public, no-cache", body)
}

/// A JSON text for the caller alone, or 304 where the client has it. The tag is made with a key: it
/// tells nobody what the text says.
pub fn answer_private(request: &HeaderMap, key: &Key, json: Vec<u8>) -> Response {
    let mac = key.mac("etag", &[&json]);
    let tag: String = mac[..16].iter().map(|it| format!("{it:02x}")).collect();
    let tag = format!("W/\"{tag}\"");
    let body = ([(header::CONTENT_TYPE, "application/json")], json);
    answer(request, &tag, "private, no-cache", body)
}

fn answer(
    request: &HeaderMap,
    tag: &str,
    cache: &'static str,
    body: impl IntoResponse,
) -> Response {
    let mut response = if has(request, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let headers = response.headers_mut();
    let tag = tag.parse().expect("a tag is quoted hexadecimal");
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn has(request: &HeaderMap, tag: &str) -> bool {
    let opaque = |it: &str| it.strip_prefix("W/").unwrap_or(it).to_owned();
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(str::trim)
        .any(|it| it == "*" || opaque(it) == opaque(tag))
}
