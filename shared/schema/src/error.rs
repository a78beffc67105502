//! The one error of the cores. It knows no HTTP: `platform::Problem` turns it into an answer.

use std::borrow::Cow;

/// What went wrong, in the terms a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object does not exist, or belongs to another tenant.
    #[error("{what} not found")]
    NotFound {
        /// The noun, in lower case: `connection`.
        what: &'static str,
    },
    /// Nothing bears that name, of what has few names.
    #[error("{what} not found: there are {names}")]
    UnknownName {
        /// The noun, in lower case: `view`.
        what: &'static str,
        /// Those that there are: `accounts, contacts`.
        names: String,
    },
    /// The state of the object forbids the change.
    #[error("{0}")]
    Conflict(Cow<'static, str>),
    /// The request as a whole is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// Fields of the request are wrong.
    #[error("{}", describe(.0))]
    Invalid(Vec<FieldError>),
    /// Nobody is signed in, or the sign-in is not valid (any more).
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller is known and may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The body is larger than this route takes.
    #[error("{0}")]
    TooLarge(String),
    /// The tenant has stored as much as it may.
    #[error("{0}")]
    StorageFull(String),
    /// The caller must wait.
    #[error("too many requests, retry in {retry_after_secs} s")]
    RateLimited {
        /// Seconds until a request will be let through.
        retry_after_secs: u64,
    },
    /// Something this request needs is away for now.
    #[error("{0}")]
    Unavailable(&'static str),
    /// A defect or an outage. The cause is logged, never sent.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a core returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field, `?name` of a query parameter, or the name of a header.
    pub pointer: String,
    /// What is wrong with it and what would be right.
    pub detail: String,
}

impl Error {
    /// One wrong field.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Error {
        Error::Invalid(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// The same faults, seen from a document that has the faulty one at that pointer.
    pub fn below(self, pointer: &str) -> Error {
        let Error::Invalid(fields) = self else {
            return self;
        };
        let below = |it: FieldError| FieldError {
            pointer: format!("{pointer}{}", it.pointer),
            ..it
        };
        Error::Invalid(fields.into_iter().map(below).collect())
    }

    /// The state of the object forbids the change, whatever the object is.
    pub const fn conflict(detail: &'static str) -> Error {
        Error::Conflict(Cow::Borrowed(detail))
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound { .. } | Error::UnknownName { .. } => "not_found",
            Error::Conflict(_) => "conflict",
            Error::BadRequest(_) => "bad_request",
            Error::Invalid(_) => "invalid",
            Error::Unauthenticated(_) => "unauthenticated",
            Error::Forbidden(_) => "forbidden",
            Error::TooLarge(_) => "too_large",
            Error::StorageFull(_) => "storage_full",
            Error::RateLimited { .. } => "rate_limited",
            Error::Unavailable(_) => "unavailable",
            Error::Internal(_) => "internal",
        }
    }
}

fn describe(errors: &[FieldError]) -> String {
    let texts: Vec<_> = errors
        .iter()
        .map(|it| match &*it.pointer {
            "" => it.detail.clone(),
            pointer => format!("{pointer}: {}", it.detail),
        })
        .collect();
    texts.join("; ")
}
