//! Secrets that live: JSON documents, read again from time to time, so that a rotated key is
//! followed without a restart.
//!
//! **Invariant:** no request asks the source itself. One asks for all of them, seldom, and what is
//! known serves while the source is away.

mod document;
mod extension;
mod failure;
mod live;
mod manager;
mod schedule;
mod source;

use std::path::PathBuf;

use anyhow::Context;
use secrecy::SecretString;

pub use document::{Credentials, Document, Key, KeyRing, Keys, PublicKey, SigningKey};
pub use failure::Failure;
pub use live::{RefreshingSecret, Secret, TTL};
pub use manager::{Manager, cause, client};
pub use source::Source;

use crate::env;

/// A function's own document, as it is now. Cheap to clone.
pub type Secrets = RefreshingSecret<Document>;

impl Secrets {
    /// The secret that `SECRET_ID` names in AWS Secrets Manager, else the file that `SECRETS_FILE`
    /// names. Nothing is read yet.
    pub fn from_env() -> anyhow::Result<Secrets> {
        let source = match env::optional::<String>("SECRET_ID")? {
            Some(id) => Source::Manager(Manager::from_env(id)?),
            None => {
                let path = env::optional("SECRETS_FILE")?;
                Source::File(path.context("neither SECRET_ID nor SECRETS_FILE is set")?)
            }
        };
        RefreshingSecret::of(source)
    }

    /// The document in a file.
    pub fn from_file(path: PathBuf) -> anyhow::Result<Secrets> {
        RefreshingSecret::of(Source::File(path))
    }

    /// A document that stays as it is.
    pub fn fixed(document: SecretString) -> Secrets {
        RefreshingSecret::new(Source::Text(document), TTL)
    }
}

impl RefreshingSecret<Credentials> {
    /// The secret that `DATABASE_SECRET_ID` names, in the form that RDS gives its secrets.
    pub fn credentials_from_env() -> anyhow::Result<Option<RefreshingSecret<Credentials>>> {
        let id = env::optional("DATABASE_SECRET_ID")?;
        id.map(RefreshingSecret::credentials).transpose()
    }

    /// The secret of that name or ARN, in the same form.
    pub fn credentials(id: String) -> anyhow::Result<RefreshingSecret<Credentials>> {
        RefreshingSecret::of(Source::Manager(Manager::from_env(id)?))
    }
}

#[cfg(test)]
mod tests;
