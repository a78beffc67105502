//! Answers questions over the canonical records of all sources.

mod openapi;
mod routes;

use platform::{Platform, Routes};

/// The function's routes.
pub fn routes(platform: Platform) -> Routes {
    routes::views::router()
        .merge(routes::entities::router())
        .merge(routes::custom_fields::router())
        .merge(routes::mappings::router())
        .merge(routes::proposals::router())
        .merge(routes::provenance::router())
        .merge(routes::tenant_schema::router())
        .with_state(platform)
}
