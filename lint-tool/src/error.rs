//! Why a check could not be made.

/// What stopped a check, by who has to act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration or the call is wrong: exit 2.
    #[error("{0}")]
    Usage(String),
    /// Something could not be read: exit 3.
    #[error("{0}")]
    Unreadable(String),
}
