//! The end of an environment, which Lambda announces to extensions only: so the function is one.

use std::time::Duration;

use lambda_extension::Extension;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Platform, telemetry};

/// Lambda kills what is still there 300 ms after the signal.
const PATIENCE: Duration = Duration::from_millis(250);
/// A runtime that knows extensions answers at once.
const REGISTRATION: Duration = Duration::from_secs(1);

/// Asks for the signal. Call it before the first event is asked for.
///
/// A runtime without extensions (a local one) does no harm: it may signal by itself, or not.
pub(super) async fn register() {
    let extension = Extension::new()
        .with_events(&[])
        .with_extension_name("autonomos-shutdown")
        .register();
    match tokio::time::timeout(REGISTRATION, extension).await {
        // It hears of nothing, but without asking, the start would not be over.
        Ok(Ok(extension)) => drop(tokio::spawn(extension.run())),
        Ok(Err(error)) => tracing::debug!(%error, "the runtime takes no extension"),
        Err(_) => tracing::debug!("the runtime says nothing to an extension"),
    }
}

/// Waits for the signal.
pub(super) async fn asked() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    terminated.recv().await;
}

/// Lets go of what others hold for this environment.
pub(super) async fn close(platform: &Platform) {
    let end = async {
        futures_util::future::join(platform.db.close(), telemetry::otlp::flush()).await;
    };
    let closed = tokio::time::timeout(PATIENCE, end).await;
    tracing::info!(clean = closed.is_ok(), "the environment ends");
}
