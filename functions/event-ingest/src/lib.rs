//! The event-ingest function: events in, each with its own outcome.
//!
//! **Invariant:** delivered at least once, effective exactly once. A request is one transaction;
//! a client that got no answer sends it again, and what had its effect then says so.

mod cloud_event;
mod envelope;
mod event;
mod intake;
mod plans;
mod routes;

use std::sync::Arc;

use axum::extract::FromRef;
use platform::Platform;
use utoipa_axum::router::OpenApiRouter;

/// What the handlers hold.
#[derive(Clone)]
struct State {
    platform: Platform,
    plans: Arc<plans::Plans>,
}

impl FromRef<State> for Platform {
    fn from_ref(state: &State) -> Platform {
        state.platform.clone()
    }
}

/// The function's routes.
pub fn routes(platform: Platform) -> OpenApiRouter {
    let state = State {
        platform,
        plans: Arc::default(),
    };
    OpenApiRouter::new()
        .merge(routes::events::router())
        .with_state(state)
}
