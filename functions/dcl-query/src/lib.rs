//! Answers questions over the canonical records of all sources.

mod openapi;
mod routes;

use platform::{Platform, Routes};

/// The function's routes.
pub fn routes(platform: Platform) -> Routes {
    routes::views::router()
        .merge(routes::mappings::router())
        .merge(routes::proposals::router())
        .merge(routes::provenance::router())
        .with_state(platform)
}
