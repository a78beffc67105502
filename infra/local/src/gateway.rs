//! The five functions behind one port.
//!
//! **Invariant:** a route of the gateway is a route of a function; it adds only the way from `/`
//! to `/docs`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{Redirect, Response};
use axum::routing::get;
use platform::client_address::ClientAddress;
use platform::{Platform, Routes, http};
use tokio::net::TcpListener;
use utoipa::openapi::OpenApi;

const TITLE: &str = "AutonomOS";

/// The routes of all functions.
pub fn routes(platform: &Platform) -> anyhow::Result<Routes> {
    Ok(Routes::new()
        .merge(auth::routes(platform.clone())?)
        .merge(aam_connect::routes(platform.clone()))
        .merge(aam_monitor::routes(platform.clone()))
        .merge(dcl_query::routes(platform.clone()))
        .merge(event_ingest::routes(platform.clone())))
}

/// The service of all functions.
pub fn service(platform: &Platform) -> anyhow::Result<Router> {
    let served = http::serve(routes(platform)?, platform.clone(), TITLE);
    Ok(served.route("/", get(async || Redirect::temporary("/docs"))))
}

/// What the routers of all functions say about themselves.
pub fn document(platform: &Platform) -> anyhow::Result<OpenApi> {
    Ok(http::openapi(routes(platform)?, platform, TITLE))
}

/// Answers on the listener until `stop` is done, then lets running requests end.
pub async fn serve(
    listener: TcpListener,
    service: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = service
        .layer(from_fn(with_client_address))
        .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await
}

async fn with_client_address(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request
        .extensions_mut()
        .insert(ClientAddress(Some(peer.ip())));
    next.run(request).await
}
