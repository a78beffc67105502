//! The aam-monitor function: what the mesh did, is doing, and noticed.
//!
//! **Invariant:** it writes nothing. Each number comes from rows of the caller's tenant.

mod db;
mod routes;

use platform::{Platform, Routes};

/// The function's routes.
pub fn routes(platform: Platform) -> Routes {
    Routes::new()
        .merge(routes::audit::router())
        .merge(routes::docs::router())
        .merge(routes::drift::router())
        .merge(routes::events::router())
        .merge(routes::metrics::router())
        .merge(routes::status::router())
        .merge(routes::storage::router())
        .with_state(platform)
}
