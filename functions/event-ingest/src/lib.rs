//! The event-ingest function.

use platform::Platform;
use utoipa_axum::router::OpenApiRouter;

/// The function's routes.
pub fn routes(platform: Platform) -> OpenApiRouter {
    OpenApiRouter::new().with_state(platform)
}
