//! Redis over verified TLS.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use redis::TlsCertificates;
pub use redis::aio::ConnectionManager;
use redis::aio::ConnectionManagerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::env;

/// Where Redis is and who vouches for it.
pub struct Config {
    /// `rediss://…`; `redis://` only to this machine.
    pub url: String,
    /// The certificate authority, as PEM. The system's own where absent.
    pub ca: Option<Vec<u8>>,
}

impl Config {
    /// `REDIS_URL` and `REDIS_CA_FILE`.
    pub fn from_env() -> anyhow::Result<Option<Config>> {
        let Some(url) = env::optional::<String>("REDIS_URL")? else {
            return Ok(None);
        };
        let ca = match env::optional::<PathBuf>("REDIS_CA_FILE")? {
            Some(path) => Some(
                std::fs::read(&path)
                    .with_context(|| format!("REDIS_CA_FILE: reading {}", path.display()))?,
            ),
            None => None,
        };
        Ok(Some(Config { url, ca }))
    }
}

/// A connection that is made at the first use and remade when it breaks.
///
/// # Errors
/// A certificate authority that is none, a URL that is none, or one that would send secrets
/// unencrypted to another machine.
pub fn connect(config: &Config) -> anyhow::Result<ConnectionManager> {
    crate::tls::install();
    let client = match &config.ca {
        Some(pem) => {
            check_pem(pem)?;
            let root_cert = Some(pem.clone());
            let tls = TlsCertificates {
                client_tls: None,
                root_cert,
            };
            redis::Client::build_with_tls(config.url.as_str(), tls)
        }
        None => redis::Client::open(config.url.as_str()),
    }
    .context("REDIS_URL is malformed: rediss://[user:password@]host:port")?;
    if let redis::ConnectionAddr::Tcp(host, _) = client.get_connection_info().addr() {
        let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if !here {
            bail!("REDIS_URL is not encrypted: use rediss:// for `{host}`");
        }
    }
    let settings = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(Duration::from_secs(1)));
    Ok(ConnectionManager::new_lazy_with_config(client, settings)?)
}

// A junk PEM would fail only at the first connection, with an error that does not name it.
fn check_pem(pem: &[u8]) -> anyhow::Result<()> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .context("the Redis certificate authority is not PEM")?;
    if certificates.is_empty() {
        bail!("the Redis certificate authority has no certificate in it");
    }
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates {
        roots
            .add(certificate)
            .context("the Redis certificate authority is not a certificate")?;
    }
    Ok(())
}
