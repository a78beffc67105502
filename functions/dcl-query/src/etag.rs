//! Answers that a client need not be sent twice: their tag tells nobody what is in them.

use axum::http::HeaderMap;
use axum::response::Response;
use platform::etag;
use platform::secrets::Key;

/// The JSON text with its tag, or 304 where the client has it.
pub(crate) fn answer(key: &Key, request: &HeaderMap, body: Vec<u8>) -> Response {
    let mac = key.mac("etag", &[&body]);
    let tag: String = mac[..16].iter().map(|it| format!("{it:02x}")).collect();
    etag::answer(request, &tag, "application/json", "private, no-cache", body)
}
