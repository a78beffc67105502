//! Answers questions over the canonical records of all sources.

mod describe;
mod etag;
mod kept;
mod routes;

use platform::Platform;
use utoipa_axum::router::OpenApiRouter;

/// The function's routes.
pub fn routes(platform: Platform) -> OpenApiRouter {
    routes::views::router()
        .merge(routes::provenance::router())
        .with_state(platform)
}
