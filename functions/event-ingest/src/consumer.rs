//! Events through the queue: a message is what `POST /api/v1/events` takes, its attributes are the
//! headers.
//!
//! **Invariant:** nothing is lost. A record that cannot be mapped is in quarantine, as over HTTP.
//! A message with something that is not even an event fails after its events were taken, so that
//! it ends, whole, with the dead letters; sent again, what was taken has no second effect.

use axum::http::{HeaderValue, header};
use platform::deadline::Deadline;
use platform::lambda::{Consumer, Message, unknown_schedule};
use platform::{Ingester, Platform, Result};
use schema::Error;

use crate::routes::events::{self, Receipt};

/// So many reasons say enough for a log line.
const MAX_REASONS: usize = 10;

pub(crate) struct Messages(pub(crate) Platform);

impl Consumer for Messages {
    async fn take(&self, message: &Message, _: Deadline) -> Result<()> {
        let Ingester(caller) = Ingester::of_message(&self.0, message).await?;
        let mut headers = message.headers.clone();
        let json = HeaderValue::from_static("application/json");
        headers.entry(header::CONTENT_TYPE).or_insert(json);
        let body = message.body.as_bytes();
        let receipt = events::ingest_body(&self.0, &caller, &headers, body).await?;
        tracing::info!(
            accepted = receipt.accepted,
            unchanged = receipt.unchanged,
            stale = receipt.stale,
            duplicate = receipt.duplicate,
            quarantined = receipt.quarantined,
            rejected = receipt.rejected,
            "{} events came",
            receipt.results.len(),
        );
        Ok(all_were_events(receipt)?)
    }

    async fn tick(&self, schedule: &str, _: Deadline) -> Result<()> {
        Err(unknown_schedule(schedule).into())
    }
}

fn all_were_events(receipt: Receipt) -> Result<(), Error> {
    if receipt.rejected == 0 {
        return Ok(());
    }
    Err(receipt.into_error(MAX_REASONS))
}
