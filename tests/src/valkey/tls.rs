//! A TLS front before a server that speaks none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A certificate authority made on the spot.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> anyhow::Result<Authority> {
        let mut params = CertificateParams::new([])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Authority(CertifiedIssuer::self_signed(
            params,
            KeyPair::generate()?,
        )?))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of these names shows.
    pub(super) fn certify(&self, names: &[&str]) -> anyhow::Result<ServerConfig> {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.0)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(config)
    }
}

/// A port that speaks TLS and passes everything on to a socket; dropping it closes it.
#[derive(Debug)]
pub(super) struct Front {
    port: u16,
    broken: Arc<Notify>,
    listening: JoinHandle<()>,
}

impl Front {
    pub(super) async fn open(config: ServerConfig, socket: &Path) -> anyhow::Result<Front> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let broken = Arc::new(Notify::new());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listening = tokio::spawn(listen(
            listener,
            acceptor,
            socket.to_owned(),
            Arc::clone(&broken),
        ));
        Ok(Front {
            port,
            broken,
            listening,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn break_connections(&self) {
        self.broken.notify_waiters();
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.listening.abort();
        self.break_connections();
    }
}

async fn listen(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    socket: PathBuf,
    broken: Arc<Notify>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (acceptor, socket, broken) = (acceptor.clone(), socket.clone(), Arc::clone(&broken));
        tokio::spawn(async move {
            tokio::select! {
                // A client that refuses the certificate is a test's purpose, not a failure.
                _ = pass(client, acceptor, socket) => {}
                () = broken.notified() => {}
            }
        });
    }
}

async fn pass(client: TcpStream, acceptor: TlsAcceptor, socket: PathBuf) -> std::io::Result<()> {
    let mut client = acceptor.accept(client).await?;
    let mut server = UnixStream::connect(socket).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
