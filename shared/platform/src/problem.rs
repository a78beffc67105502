//! Errors as answers: RFC 9457 problem details. The one table from error to status.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schema::{Error, FieldError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::trace;

/// The only error that a handler answers with.
#[derive(Debug)]
pub struct Problem {
    error: Error,
    status: Option<StatusCode>,
}

/// What a handler returns.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body {
    /// Always `about:blank`: `code` says which problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// A stable word for programs.
    code: &'static str,
    /// A sentence for people.
    detail: String,
    /// Finds the request in the logs.
    trace_id: String,
    /// Which fields are wrong, where fields are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound { .. } | Error::UnknownName { .. } => StatusCode::NOT_FOUND,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::BadRequest(_) => StatusCode::BAD_REQUEST,
        Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Error::StorageFull(_) => StatusCode::INSUFFICIENT_STORAGE,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The word for a status that no error stands for by itself.
fn finer(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::NOT_FOUND => Some("not_found"),
        StatusCode::METHOD_NOT_ALLOWED => Some("method_not_allowed"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some("unsupported_media_type"),
        _ => None,
    }
}

impl Problem {
    /// The same problem under another status, where HTTP has a finer word than the error.
    pub fn with_status(error: Error, status: StatusCode) -> Problem {
        Problem {
            error,
            status: Some(status),
        }
    }

    /// As the error of work that answers no request, such as a job.
    pub fn into_anyhow(self) -> anyhow::Error {
        anyhow::anyhow!("{:?}", self.error)
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        self.status.and_then(finer).unwrap_or(self.error.code())
    }

    fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| status(&self.error))
    }

    /// Whether the same may succeed at another time: the fault is not in what was asked.
    pub(crate) fn is_transient(&self) -> bool {
        self.status().is_server_error() || self.status() == StatusCode::TOO_MANY_REQUESTS
    }

    /// Logs what did not come through HTTP, in one line.
    pub(crate) fn log(&self, what: &str) {
        let code = self.code();
        match &self.error {
            Error::Internal(error) => tracing::error!(?error, code, "{what}: {error}"),
            error => tracing::error!(code, "{what}: {error}"),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        Problem {
            error,
            status: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = ?self.error, code = self.error.code(), "request failed");
        }
        let body = Body {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: self.code(),
            detail: self.error.to_string(),
            trace_id: trace::id(),
            errors: if let Error::Invalid(errors) = &self.error {
                errors.clone()
            } else {
                vec![]
            },
        };
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match self.error {
            Error::Unauthenticated(_) => insert(headers, header::WWW_AUTHENTICATE, "Bearer"),
            Error::RateLimited { retry_after_secs } => {
                insert(headers, header::RETRY_AFTER, &retry_after_secs.to_string());
            }
            _ => {}
        }
        response
    }
}

fn insert(headers: &mut axum::http::HeaderMap, name: HeaderName, value: &str) {
    headers.insert(
        name,
        value.parse().expect("ASCII without control characters"),
    );
}
