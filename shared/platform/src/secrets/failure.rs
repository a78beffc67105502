//! Why a secret could not be read.

use std::fmt;

/// What went wrong and what to do about it. The cause is for the log, never for a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// There is no such secret, or none with a value.
    Missing,
    /// The function's role may not read it, or not decrypt it.
    Denied,
    /// The source is asked too often, by all who ask it.
    Throttled,
    /// It was read, and is not what it should be. Says where, never what stands there.
    Malformed(String),
    /// The source did not answer, or with an error of its own.
    Away(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.complaint(), self.advice())
    }
}

impl Failure {
    /// The complaint, without anything that a stranger should not know.
    pub fn complaint(&self) -> &'static str {
        match self {
            Failure::Missing => "the secret does not exist",
            Failure::Denied => "reading the secret is not permitted",
            Failure::Throttled => "requests for the secret are throttled",
            Failure::Malformed(_) => "the secret is malformed",
            Failure::Away(_) => "the secret store does not answer",
        }
    }

    /// The cause, and what mends it.
    pub(super) fn advice(&self) -> String {
        match self {
            Failure::Missing => {
                "check SECRET_ID and the region, and that the secret has a value".to_owned()
            }
            Failure::Denied => {
                "the function's role needs secretsmanager:GetSecretValue on it, and kms:Decrypt \
                 where it has a key of its own"
                    .to_owned()
            }
            Failure::Throttled => {
                "the next attempts are spaced further and further apart".to_owned()
            }
            Failure::Malformed(place) => place.clone(),
            Failure::Away(cause) => cause.clone(),
        }
    }
}
