//! How far a server proves itself before anybody signs in.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::QueryError;
use crate::postgres::Config;
use crate::postgres::config::Tls;

/// Asks for TLS as PostgreSQL's clients do.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

const NONE: &str =
    "it offers none: turn it on there, or send `disable` where the network to it is private";

/// Encrypts the way to a server that proves itself as far as the config wants it.
pub(super) async fn encrypt(
    mut stream: TcpStream,
    config: &Config,
) -> Result<TlsStream<TcpStream>, QueryError> {
    let client = client(config)?;
    let name = ServerName::try_from(config.host.clone()).or_else(|_| {
        // A chain needs no name.
        let address = stream.peer_addr().map_err(QueryError::Io)?.ip();
        match config.tls {
            Tls::VerifyCa => Ok(address.into()),
            _ => Err(QueryError::Tls(
                "no certificate can be for such a name: send another `host`, or `verify-ca`".into(),
            )),
        }
    })?;
    stream.write_all(&REQUEST).await?;
    // One byte and no more: what came with it would not be encrypted.
    match stream.read_u8().await? {
        b'S' => {}
        b'N' => return Err(QueryError::Tls(NONE.into())),
        _ => return Err(QueryError::Wire("it does not speak PostgreSQL's protocol")),
    }
    let handshake = TlsConnector::from(Arc::new(client)).connect(name, stream);
    handshake.await.map_err(refused)
}

/// What the peer itself said is not repeated, as it may be anybody.
fn refused(error: std::io::Error) -> QueryError {
    let inner = error.get_ref().and_then(|it| it.downcast_ref());
    match inner {
        Some(Error::InvalidCertificate(cause)) => QueryError::Certificate(cause.to_string()),
        Some(_) => QueryError::Tls("the handshake failed: it must speak TLS 1.2 or 1.3".into()),
        None => QueryError::Io(error),
    }
}

fn client(config: &Config) -> Result<ClientConfig, QueryError> {
    let roots = Arc::new(roots(config.ca_pem.as_deref().unwrap_or_default())?);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|err| QueryError::Tls(err.to_string()))?;
    let verifier: Arc<dyn ServerCertVerifier> = match config.tls {
        Tls::VerifyCa => Arc::new(AnyName(verifier)),
        Tls::VerifyFull | Tls::Disable => verifier,
    };
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|err| QueryError::Tls(err.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(client)
}

/// The public authorities and the config's own.
fn roots(pem: &str) -> Result<RootCertStore, QueryError> {
    let wrong =
        |_| QueryError::Tls("`ca_pem` has something that is no certificate: send PEM".into());
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| wrong(()))?;
        roots.add(certificate).map_err(|_| wrong(()))?;
    }
    Ok(roots)
}

/// Checks everything but the name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = &self.0;
        // The name is looked at last, when the chain has been found to be whole.
        match verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
