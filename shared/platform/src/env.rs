//! The environment, read once at start by each `Config`.
//!
//! **Invariant:** the only file that calls `std::env`.

use std::str::FromStr;

use anyhow::{Context, anyhow};

/// The value of a variable, or an error that names it. An empty value counts as absent.
pub fn required<T: FromStr>(name: &str) -> anyhow::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    optional(name)?.ok_or_else(|| anyhow!("{name} is not set"))
}

/// The value of a variable if it is there. An empty value counts as absent.
pub fn optional<T: FromStr>(name: &str) -> anyhow::Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => text
            .parse()
            .map(Some)
            .with_context(|| format!("{name} is malformed: correct it or unset it")),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(err @ std::env::VarError::NotUnicode(_)) => Err(err).context(name.to_owned()),
    }
}
