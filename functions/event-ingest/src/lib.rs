//! The event-ingest function: events in, each with its own outcome.
//!
//! **Invariant:** delivered at least once, effective exactly once. A request or a message is one
//! transaction; a client that got no answer sends it again, and what had its effect then says so.

mod cloud_event;
mod consumer;
mod envelope;
mod event;
mod ingest;
mod plans;
mod routes;

use std::sync::Arc;

use axum::extract::FromRef;
use platform::{Platform, Routes};

use consumer::Messages;

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
pub fn routes(platform: Platform) -> Routes {
    Routes::new()
        .merge(routes::events::router())
        .with_state(State::new(platform))
}

/// The function: requests, and the messages of its queue.
pub async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::consume("event-ingest", |platform| {
        let messages = Messages(State::new(platform.clone()));
        Ok((routes(platform.clone()), messages))
    })
    .await
}

impl State {
    fn new(platform: Platform) -> State {
        State {
            platform,
            plans: Arc::default(),
        }
    }
}
