//! Signing in at servers that are reached in a strange way, or not at all.

use std::io;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::postgres::session::conn::Most;

/// Signed in, and ready for a question.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const DONE: &[u8] = b"C\0\0\0\x0aBEGIN\0Z\0\0\0\x05T";
const ONE: Most = Most {
    rows: 1,
    columns: 1,
    bytes: 9,
};

fn config(host: &str, port: u16, tls: &str, ca_pem: Option<&str>) -> Config {
    let config = json!({
        "host": host, "port": port, "database": "d", "user": "u", "password": "p", "tls": tls,
        "ca_pem": ca_pem, "objects": [{ "table": "t", "entity": "account" }],
    });
    Config::read(&config).unwrap()
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server's TLS for that name, and who has signed it.
fn certified(name: &str) -> (TlsAcceptor, String) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = CertifiedIssuer::self_signed(authority, key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

/// Lets one client in by TLS. Who it asked for.
async fn let_in(listener: TcpListener, tls: TlsAcceptor) -> io::Result<Option<String>> {
    let (mut stream, _) = listener.accept().await?;
    stream.read_exact(&mut [0; 8]).await?;
    stream.write_all(b"S").await?;
    let mut stream = tls.accept(stream).await?;
    stream.read_buf(&mut Vec::with_capacity(1024)).await?;
    stream.write_all(WELCOME).await?;
    stream.flush().await?;
    Ok(stream.get_ref().1.server_name().map(str::to_owned))
}

#[tokio::test]
async fn a_server_is_contacted_where_it_was_found_and_by_its_name() {
    // Nothing could find such a name again.
    let name = "db.example.invalid";
    let (tls, ca_pem) = certified(name);
    for (host, mode, fine) in [
        (name, "verify-full", true),
        ("other.example.invalid", "verify-full", false),
        ("other.example.invalid", "verify-ca", true),
    ] {
        let (listener, address) = bind().await;
        let config = config(host, 1, mode, Some(&ca_pem));
        let server = tokio::spawn(let_in(listener, tls.clone()));
        let opened = Conn::open(&[address], &config).await;
        assert_eq!(opened.is_ok(), fine, "{host} {mode}: {:?}", opened.err());
        let asked = server.await.unwrap();
        assert_eq!(asked.is_ok(), fine, "{host} {mode}");
        if let Ok(asked) = asked {
            assert_eq!(asked.as_deref(), Some(host));
        }
    }
}

#[tokio::test]
async fn nothing_of_a_stranger_s_answer_to_tls_is_repeated() {
    let table: [(&[u8], &str); 6] = [
        (b"HTTP/1.1 400 Secret\r\n\r\n", "/port"),
        (b"SSH-2.0-Secret\r\n", "/tls"),
        (b"N", "/tls"),
        (b"E\0\0\0\x0cSecret\0\0", "/port"),
        (b"", "/host"),
        (b"S\x15\x03\x03\0\x02\x02\x28Secret", "/tls"),
    ];
    for (said, pointer) in table {
        let (listener, address) = bind().await;
        let config = config("localhost", address.port(), "verify-full", None);
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 8]).await.unwrap();
            stream.write_all(said).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let refused = PostgresSession::open(config.clone(), EgressPolicy::Any)
            .await
            .err()
            .unwrap();
        assert_eq!(refused.pointer, pointer, "{refused}");
        for word in ["Secret", "HTTP", "SSH"] {
            assert!(!refused.message.contains(word), "{refused}");
        }
        server.await.unwrap();
    }
}

/// Begins to speak with each client, and then says so much, a byte each second.
async fn dawdle(listener: TcpListener, at_once: Vec<&'static [u8]>, then: &'static [u8]) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let at_once = at_once.clone();
        tokio::spawn(async move {
            for bytes in at_once {
                heard(&mut stream).await?;
                stream.write_all(bytes).await?;
            }
            heard(&mut stream).await?;
            for byte in then.iter().cycle() {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(&[*byte]).await?;
            }
            // Says nothing, and hangs up never.
            heard(&mut stream).await?;
            heard(&mut stream).await
        });
    }
}

async fn heard(stream: &mut TcpStream) -> io::Result<()> {
    let read = stream.read_buf(&mut Vec::with_capacity(1 << 16)).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dawdles_is_given_up() {
    for then in [&b""[..], b"R\0\0\x20\0", b"E\0\0\x20\0"] {
        let (listener, address) = bind().await;
        let server = tokio::spawn(dawdle(listener, vec![], then));
        let config = config("127.0.0.1", address.port(), "disable", None);
        let begun = Instant::now();
        let refused = PostgresSession::open(config.clone(), EgressPolicy::Any)
            .await
            .err()
            .unwrap();
        assert_eq!(refused.message, "the server `127.0.0.1` does not answer");
        assert!(begun.elapsed() <= SIGN_IN + Duration::from_secs(1));
        server.abort();
    }
    let notice = b"N\0\0\0\x0dSNOTICE\0\0";
    for then in [&b""[..], notice, b"1\0\0\0\x04"] {
        let (listener, address) = bind().await;
        let server = tokio::spawn(dawdle(listener, vec![WELCOME, DONE], then));
        let config = config("127.0.0.1", address.port(), "disable", None);
        let mut line = PostgresSession::open(config.clone(), EgressPolicy::Any)
            .await
            .unwrap();
        let begun = Instant::now();
        let refused = line.table(0, &config.objects[0]).await.err().unwrap();
        assert!(refused.message.contains("stopped answering"), "{refused}");
        assert!(begun.elapsed() <= ANSWER + Duration::from_secs(1));
        // The line is of no use any more, and says so at once.
        let again = line.table(0, &config.objects[0]).await.err().unwrap();
        assert!(again.message.contains("hung up"), "{again}");
        assert!(begun.elapsed() <= ANSWER + Duration::from_secs(1));
        server.abort();
    }
}

#[tokio::test]
async fn a_row_more_than_asked_for_ends_the_line() {
    let (listener, address) = bind().await;
    let column = b"T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
    let row = b"D\0\0\0\x0b\0\x01\0\0\0\x01x";
    let rows = |count: usize| {
        [
            &column[..],
            &row.repeat(count),
            b"C\0\0\0\x05\0Z\0\0\0\x05I",
        ]
        .concat()
    };
    for (count, fine) in [(0, true), (1, true), (2, false)] {
        let answer = rows(count);
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            heard(&mut stream).await.unwrap();
            stream.write_all(WELCOME).await.unwrap();
            heard(&mut stream).await.unwrap();
            stream.write_all(&answer).await.unwrap();
            stream
        };
        let config = config("127.0.0.1", address.port(), "disable", None);
        let asked = async {
            let mut conn = Conn::open(&[address], &config).await.unwrap();
            conn.rows("select", &[], ONE).await.map(|it| it.len())
        };
        let (_stream, found) = tokio::join!(served, asked);
        assert_eq!(found.ok(), fine.then_some(count));
    }
}

#[test]
fn nobody_learns_what_else_is_in_a_private_network() {
    let address = |it: &str| SocketAddr::new(it.parse().unwrap(), 1);
    let check = |egress, at: &str, expected| {
        assert_eq!(detail(&[address(at)], egress), expected, "{egress:?} {at}");
    };
    check(EgressPolicy::Public, "1.1.1.1", Detail::Why);
    check(EgressPolicy::Private, "1.1.1.1", Detail::Why);
    check(EgressPolicy::Private, "10.0.0.1", Detail::That);
    check(EgressPolicy::Any, "10.0.0.1", Detail::Why);
    let both = [address("1.1.1.1"), address("10.0.0.1")];
    assert_eq!(detail(&both, EgressPolicy::Private), Detail::That);

    let config = config("db.internal", 1, "disable", None);
    let expected = error::connect_timeout(&config, Detail::That);
    assert_eq!(expected.pointer, "/host");
    for failure in [
        io::Error::from_raw_os_error(111).into(),
        io::Error::from_raw_os_error(113).into(),
        io::Error::from_raw_os_error(104).into(),
        io::Error::from(io::ErrorKind::UnexpectedEof).into(),
        io::Error::from(io::ErrorKind::InvalidData).into(),
        error::QueryError::Closed,
        error::QueryError::HungUp,
        error::QueryError::Wire("it is a mail server"),
    ] {
        let said = error::connect_error(&failure, &config, Detail::That);
        assert_eq!(said, expected, "{failure:?}");
    }
}
