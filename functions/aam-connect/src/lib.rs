//! The aam-connect function: sources are connected here, and their records come in.
//!
//! **Invariant:** a record that was read is accounted for in its run: written, unchanged, stale or
//! quarantined. A batch of records and the run's counts of it are one transaction.

mod connection;
mod consumer;
mod db;
mod ending;
mod jobs;
mod routes;
mod scheduler;
mod upload;
pub mod worker;

pub use connection::stored_secrets;
pub use consumer::{SCHEDULES, tick};
use platform::{Platform, Routes};

/// The function's routes.
pub fn routes(platform: Platform) -> Routes {
    Routes::new()
        .merge(routes::catalog::router())
        .merge(routes::connections::router())
        .merge(routes::connectors::router())
        .merge(routes::filesource::router())
        .merge(routes::health::router())
        .merge(routes::source_jobs::router())
        .merge(routes::objects::router())
        .merge(routes::quarantine::router())
        .merge(routes::quarantine_groups::router())
        .merge(routes::quarantine_work::router())
        .merge(routes::replay::router())
        .merge(routes::runs::router())
        .merge(routes::schemas::router())
        .merge(routes::tasks::router())
        .with_state(platform)
}

/// The worker: jobs that the queue wakes it for, and what is due by the clock.
pub async fn worker_main() -> Result<(), lambda_http::Error> {
    platform::lambda::consume("aam-worker", |platform| {
        let nothing = Routes::new();
        Ok((nothing, consumer::Worker(platform.clone())))
    })
    .await
}
