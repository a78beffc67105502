//! Running a router as a Lambda function.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use lambda_http::request::RequestContext;
use utoipa_axum::router::OpenApiRouter;

use crate::http::ClientAddress;
use crate::{Config, Platform, http, telemetry};

/// Starts a function: configuration, platform, router; then serves until it is stopped.
///
/// `routes` makes the function's routes from the platform. A function whose secrets cannot be read
/// is alive and says so: they may be mended while it runs.
pub async fn main(
    name: &str,
    routes: impl FnOnce(&Platform) -> anyhow::Result<OpenApiRouter>,
) -> Result<(), lambda_http::Error> {
    telemetry::init(telemetry::Format::Json)?;
    let platform = Platform::new(Config::from_env()?)?;
    // The secrets come in while the routes are made; a failure is logged there.
    let secrets = platform.secrets.clone();
    let make = async { Ok::<_, anyhow::Error>(http::serve(routes(&platform)?, platform, name)) };
    let (_, router) = futures_util::future::join(secrets.get(), make).await;
    run(router?).await
}

/// Serves API Gateway's events with the router until the function is stopped.
async fn run(router: Router) -> Result<(), lambda_http::Error> {
    lambda_http::run(router.layer(from_fn(with_client_address))).await
}

async fn with_client_address(mut request: Request, next: Next) -> axum::response::Response {
    let address = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context
            .http
            .source_ip
            .as_deref()
            .and_then(|it| it.parse().ok()),
        _ => None,
    };
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}
