//! The five functions behind one port.
//!
//! **Invariant:** a route of the gateway is a route of a function; it adds only the way from `/`
//! to `/docs`.

use std::pin::pin;
use std::time::Duration;

use axum::response::Redirect;
use axum::routing::get;
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use platform::client_address::ClientAddress;
use platform::{Platform, Routes, http};
use serde_json::Value;
use tokio::net::TcpListener;
use tower_http::timeout::RequestBodyTimeoutLayer;

const TITLE: &str = "AutonomOS";

/// The routes of all functions.
pub fn routes(platform: &Platform) -> Routes {
    Routes::new()
        .merge(auth::routes(platform.clone()))
        .merge(aam_connect::routes(platform.clone()))
        .merge(aam_monitor::routes(platform.clone()))
        .merge(dcl_query::routes(platform.clone()))
        .merge(event_ingest::routes(platform.clone()))
}

/// The service of all functions.
pub fn service(platform: &Platform) -> Router {
    let served = http::serve(routes(platform), platform.clone(), TITLE);
    served.route("/", get(async || Redirect::temporary("/docs")))
}

/// What the routers of all functions say about themselves.
pub fn document(platform: &Platform) -> Value {
    http::openapi(routes(platform), platform, TITLE)
}

/// How long a client may take before its connection is closed.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, and between two requests.
    pub head: Duration,
    /// For each part of a body.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
        }
    }
}

/// Answers on the listener until `stop` is done, then lets running requests end.
pub async fn serve(
    mut listener: TcpListener,
    service: Router,
    patience: Patience,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let mut protocol = http1::Builder::new();
    let protocol = protocol
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head);
    let running = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        // axum's way to accept: a failure of one client ends nothing.
        let (stream, peer) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            () = &mut stop => break,
        };
        let service = service
            .clone()
            .layer(RequestBodyTimeoutLayer::new(patience.body))
            .layer(Extension(ClientAddress(Some(peer.ip()))));
        let service = TowerToHyperService::new(service);
        let conn = protocol.serve_connection(TokioIo::new(stream), service);
        // What goes wrong here is between the client and its connection.
        tokio::spawn(running.watch(conn));
    }
    drop(listener);
    running.shutdown().await;
}
