//! Calls to others: HTTP/1.1 over verified TLS.

use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A server that is there takes a connection at once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps its connections. Cheap to clone.
pub(crate) type Client<B> = legacy::Client<HttpsConnector<HttpConnector>, B>;

/// A client that believes the system's certificate authorities. Reading them takes milliseconds:
/// make it when it is needed.
///
/// # Errors
/// The system has no certificate authorities.
pub(crate) fn client<B>() -> std::io::Result<Client<B>>
where
    B: HttpBody<Data = Bytes> + Send,
{
    let mut plain = HttpConnector::new();
    plain.set_connect_timeout(Some(PATIENCE));
    plain.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())?
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
}
