//! Where a secret is.

use std::path::PathBuf;

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::failure::Failure;
use super::live::Cached;
use super::manager::Manager;

/// Where a secret is read from.
pub enum Source {
    /// A file of this machine.
    File(PathBuf),
    /// AWS Secrets Manager.
    Manager(Manager),
    /// A text that never changes.
    Text(SecretString),
}

/// One version of a secret.
pub(super) struct Version {
    /// Another text has another one.
    pub(super) id: String,
    pub(super) text: SecretString,
}

/// Which version of a secret.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Current,
    Previous,
    /// A rotation made it, and has not put it into force.
    Pending,
}

impl Stage {
    pub(super) fn name(self) -> &'static str {
        match self {
            Stage::Current => "AWSCURRENT",
            Stage::Previous => "AWSPREVIOUS",
            Stage::Pending => "AWSPENDING",
        }
    }
}

impl Source {
    /// How log lines call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Source::File(path) => path.to_str().unwrap_or("a file"),
            Source::Manager(manager) => manager.id(),
            Source::Text(_) => "a text",
        }
    }

    pub(super) async fn read(&self, stage: Stage, cached: Cached) -> Result<Version, Failure> {
        match (self, stage) {
            (Source::Manager(manager), _) => manager.read(stage, cached).await,
            (_, Stage::Previous | Stage::Pending) => Err(Failure::Missing),
            (Source::File(path), Stage::Current) => {
                // A small local file: quicker than handing it to another thread.
                let text = std::fs::read_to_string(path).map_err(|err| match err.kind() {
                    std::io::ErrorKind::NotFound => Failure::Missing,
                    std::io::ErrorKind::PermissionDenied => Failure::Denied,
                    _ => Failure::Away(err.to_string()),
                })?;
                Ok(Version::of(text.into()))
            }
            (Source::Text(text), Stage::Current) => Ok(Version::of(text.clone())),
        }
    }
}

impl Version {
    fn of(text: SecretString) -> Version {
        use secrecy::ExposeSecret;
        let hash = digest::digest(&digest::SHA256, text.expose_secret().as_bytes());
        Version {
            id: BASE64_URL_SAFE_NO_PAD.encode(hash),
            text,
        }
    }
}
