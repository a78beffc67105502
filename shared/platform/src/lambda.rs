//! Running a router as a Lambda function.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use lambda_http::request::RequestContext;
use utoipa_axum::router::OpenApiRouter;

use crate::http::ClientAddress;
use crate::secrets::Secrets;
use crate::{Config, Platform, http, telemetry};

/// Starts a function: configuration, platform, router; then serves until it is stopped.
///
/// `routes` makes the function's routes from the platform and the secrets.
pub async fn main(
    name: &str,
    routes: impl FnOnce(&Platform, &Secrets) -> anyhow::Result<OpenApiRouter>,
) -> Result<(), lambda_http::Error> {
    telemetry::init(telemetry::Format::Json)?;
    let secrets = Secrets::from_env()?;
    let platform = Platform::new(Config::from_env(&secrets)?)?;
    let routes = routes(&platform, &secrets)?;
    run(http::serve(routes, platform, name)).await
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
