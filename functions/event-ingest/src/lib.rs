//! The event-ingest function: events in, each with its own outcome.
//!
//! **Invariant:** delivered at least once, effective exactly once. A request or a message is one
//! transaction; a client that got no answer sends it again, and what had its effect then says so.

mod cloud_event;
mod consumer;
mod envelope;
mod event;
mod ingest;
mod routes;

use platform::{Platform, Routes};

use consumer::Messages;

/// The function's routes.
pub fn routes(platform: Platform) -> Routes {
    Routes::new()
        .merge(routes::events::router())
        .with_state(platform)
}

/// The function: requests, and the messages of its queue.
pub async fn main() -> Result<(), lambda_http::Error> {
    platform::lambda::consume("event-ingest", |platform| {
        Ok((routes(platform.clone()), Messages(platform.clone())))
    })
    .await
}
