//! What keeps a source from being read, in words that say what to do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message has at most so many characters: a source may say anything, and what it says is stored
/// with jobs and in the audit log.
const MAX_MESSAGE: usize = 500;

/// Why a source could not be read.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", kind.as_str())]
pub struct SourceError {
    /// What kind it is.
    pub kind: SourceErrorKind,
    /// What is wrong and what to do, in 500 characters at most.
    pub message: String,
    /// The JSON pointer of the config's field to look at.
    pub pointer: String,
}

/// The kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceErrorKind {
    /// The source does not believe who asks.
    Auth,
    /// Who asks may not read that.
    Permission,
    /// The source cannot be reached.
    Network,
    /// The source has no capacity left, or takes too long.
    Quota,
    /// The source's structure is not what the config or the mapping says.
    Schema,
}

impl SourceErrorKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceErrorKind::Auth => "auth",
            SourceErrorKind::Permission => "permission",
            SourceErrorKind::Network => "network",
            SourceErrorKind::Quota => "quota",
            SourceErrorKind::Schema => "schema",
        }
    }
}

impl SourceError {
    /// One of that class, at that pointer of the config: what is wrong and what to do.
    pub fn new(
        kind: SourceErrorKind,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> SourceError {
        SourceError {
            kind,
            message: cut(message.into(), MAX_MESSAGE),
            pointer: pointer.into(),
        }
    }

    /// A config that cannot be read: it was stored by another version of the platform.
    pub fn from_config(error: schema::Error) -> SourceError {
        SourceError::new(SourceErrorKind::Schema, "", error.to_string())
    }

    /// The source as a whole takes too long.
    pub fn timeout() -> SourceError {
        SourceError::new(
            SourceErrorKind::Network,
            "/host",
            "the source does not answer in time",
        )
    }

    /// Whether the same may succeed later though nobody changes anything.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, SourceErrorKind::Network | SourceErrorKind::Quota)
    }
}

/// A text that was cut to so many characters, if it had more.
pub(super) fn cut(mut text: String, longest: usize) -> String {
    if text.chars().nth(longest).is_some()
        && let Some((end, _)) = text.char_indices().nth(longest - 1)
    {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_five_hundred_characters_at_most() {
        let check = |text: &str, times: usize, expected: usize| {
            let trouble = SourceError::new(SourceErrorKind::Schema, "", text.repeat(times));
            assert_eq!(trouble.message.chars().count(), expected, "{times} {text}");
            assert_eq!(trouble.message.ends_with('…'), times > expected);
        };
        for text in ["x", "ä", "💥"] {
            check(text, 0, 0);
            check(text, 499, 499);
            check(text, 500, 500);
            check(text, 501, 500);
            check(text, 20_000, 500);
        }
    }
}
