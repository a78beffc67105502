//! A port before a server that listens on a socket only and speaks no TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A certificate authority made on the spot.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> anyhow::Result<Authority> {
        let mut params = CertificateParams::new([])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Authority(CertifiedIssuer::self_signed(
            params,
            KeyPair::generate()?,
        )?))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// What a server of these names shows.
    pub(crate) fn certify(&self, names: &[&str]) -> anyhow::Result<ServerConfig> {
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

/// How a port speaks.
#[derive(Clone)]
pub(crate) enum Speech {
    /// As the server behind it.
    Plain,
    /// TLS from the first byte on.
    Tls(TlsAcceptor),
    /// TLS once the client asks for it as PostgreSQL's do.
    TlsOnRequest(TlsAcceptor),
}

impl Speech {
    pub(crate) fn tls(config: ServerConfig) -> Speech {
        Speech::Tls(TlsAcceptor::from(Arc::new(config)))
    }

    pub(crate) fn tls_on_request(config: ServerConfig) -> Speech {
        Speech::TlsOnRequest(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A port that passes everything on to a socket; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Front {
    port: u16,
    broken: Arc<Notify>,
    listening: JoinHandle<()>,
}

impl Front {
    pub(crate) async fn open(speech: Speech, socket: &Path) -> anyhow::Result<Front> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let broken = Arc::new(Notify::new());
        let listening = tokio::spawn(listen(
            listener,
            speech,
            socket.to_owned(),
            Arc::clone(&broken),
        ));
        Ok(Front {
            port,
            broken,
            listening,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn break_connections(&self) {
        self.broken.notify_waiters();
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.listening.abort();
        self.break_connections();
    }
}

async fn listen(listener: TcpListener, speech: Speech, socket: PathBuf, broken: Arc<Notify>) {
    while let Ok((client, _)) = listener.accept().await {
        let (speech, socket, broken) = (speech.clone(), socket.clone(), Arc::clone(&broken));
        tokio::spawn(async move {
            tokio::select! {
                // A client that refuses the certificate is a test's purpose, not a failure.
                _ = pass(client, speech, socket) => {}
                () = broken.notified() => {}
            }
        });
    }
}

async fn pass(mut client: TcpStream, speech: Speech, socket: PathBuf) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut server = UnixStream::connect(socket).await?;
    match speech {
        Speech::Plain => copy_bidirectional(&mut client, &mut server).await?,
        Speech::Tls(acceptor) => {
            let mut client = acceptor.accept(client).await?;
            copy_bidirectional(&mut client, &mut server).await?
        }
        Speech::TlsOnRequest(acceptor) => {
            // SSLRequest has eight bytes, and `S` says yes.
            client.read_exact(&mut [0; 8]).await?;
            client.write_all(b"S").await?;
            let mut client = acceptor.accept(client).await?;
            copy_bidirectional(&mut client, &mut server).await?
        }
    };
    Ok(())
}
