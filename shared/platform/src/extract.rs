//! Extractors whose refusals are problems.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use schema::{Error, input, pointer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Problem;

/// The largest body that is held in memory, in bytes. Uploads stream and have their own limit.
pub const BODY_LIMIT: usize = 6 << 20;

/// A JSON body: syntax errors are 400, wrong or unknown fields 422 with their place.
pub struct Json<T>(pub T);

/// Query parameters; a wrong one is 422 and named.
pub struct Query<T>(pub T);

/// The path's parameters; a malformed id is 422.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        require_json(request.headers())?;
        let body = body(request, state).await?;
        refuse_nul(&body)?;
        parse(&body).map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|it| Query(it.0))
            .map_err(|err| wrong_parameter(&err.body_text()).into())
    }
}

/// The refusal of a query, of which the text says where it is wrong: `limit: invalid digit …`.
fn wrong_parameter(text: &str) -> Error {
    let text = text
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(text);
    let is_name = |it: &str| {
        it.bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'_')
    };
    match text.split_once(": ").filter(|it| is_name(it.0)) {
        Some((name, detail)) => Error::invalid(format!("?{name}"), input::in_words(detail)),
        None => Error::invalid("?", input::in_words(text)),
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Problem> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|it| Path(it.0))
            .map_err(|err| Error::invalid("path", err.body_text()).into())
    }
}

/// The whole body.
///
/// # Errors
/// 413 where it is larger than the route takes, 400 where the client broke off.
pub async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|err| match err {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Error::TooLarge("the body is larger than this route takes".to_owned()).into()
            }
            other => Error::BadRequest(other.body_text()).into(),
        })
}

/// Reads a JSON text strictly.
///
/// # Errors
/// 400 where it is not JSON, 422 with the field's pointer where it is another JSON than asked for.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    Ok(input::read(text)?)
}

/// Refuses a NUL in a string: JSON can write it, a text column cannot hold it.
fn refuse_nul(text: &[u8]) -> Result<(), Error> {
    if !text.windows(6).any(|it| it == br"\u0000") {
        return Ok(());
    }
    // A broken text is refused as such later.
    let value = serde_json::from_slice(text).unwrap_or_default();
    match nul(&value) {
        Some(pointer) => Err(Error::invalid(pointer, "must not contain a NUL character")),
        None => Ok(()),
    }
}

/// Where the first string with a NUL is.
fn nul(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, it)| Some(format!("/{index}{}", nul(it)?))),
        Value::Object(fields) => fields.iter().find_map(|(key, it)| {
            let below = if key.contains('\0') {
                String::new()
            } else {
                nul(it)?
            };
            Some(format!("/{}{below}", pointer::escape(key)))
        }),
        _ => None,
    }
}

/// Refuses a body that does not say that it is JSON.
///
/// # Errors
/// 415.
pub fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    if kind.is_some_and(is_json) {
        return Ok(());
    }
    let error = Error::BadRequest("send content-type: application/json".to_owned());
    Err(Problem::with_status(
        error,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    ))
}

/// Whether a media type is JSON's.
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}
