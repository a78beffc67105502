//! The queue in SQS, and what a consumer says to it.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue,
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use super::{JobRef, Queue};
use crate::{aws, trace};

/// As many as SQS takes in one call.
const BATCH: usize = 10;
/// The longest delay of a message.
const MAX_PAUSE: Duration = Duration::from_secs(900);

/// A client that is made at its first use: most invocations need none.
#[derive(Default)]
pub(crate) struct Client(OnceCell<aws_sdk_sqs::Client>);

impl Client {
    async fn get(&self) -> anyhow::Result<&aws_sdk_sqs::Client> {
        let make = async || Ok(aws_sdk_sqs::Client::new(&aws::settings()?.load().await));
        self.0.get_or_try_init(make).await
    }

    /// Shows messages again when their pauses are over, and not after the queue's own time.
    pub(crate) async fn show_again(
        &self,
        queue_url: &str,
        messages: &[Visibility],
    ) -> anyhow::Result<()> {
        for (first, messages) in (0..).step_by(BATCH).zip(messages.chunks(BATCH)) {
            let entries = messages.iter().enumerate().map(|(index, it)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id((first + index).to_string())
                    .receipt_handle(&it.receipt)
                    .visibility_timeout(seconds(it.pause))
                    .build()
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let call = self.get().await?.change_message_visibility_batch();
            let output = call
                .queue_url(queue_url)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(aws_sdk_sqs::Error::from)
                .context("changing the visibility of messages")?;
            if let Some(failed) = output.failed().first() {
                anyhow::bail!("changing the visibility of a message: {}", failed.code());
            }
        }
        Ok(())
    }
}

/// A message that is to be shown again.
pub(crate) struct Visibility {
    pub(crate) receipt: String,
    pub(crate) pause: Duration,
}

/// Sends notifications to an SQS queue, `JOBS_QUEUE_URL`.
pub struct Sqs {
    url: String,
    client: Client,
}

impl Sqs {
    /// The queue at that URL. Nothing is contacted before the first notification.
    pub fn new(url: String) -> Sqs {
        Sqs {
            url,
            client: Client::default(),
        }
    }

    async fn send(&self, job_ref: JobRef, pause: Duration) -> anyhow::Result<()> {
        let call = self.client.get().await?.send_message();
        call.queue_url(&self.url)
            .message_body(serde_json::to_string(&job_ref)?)
            .set_message_attributes(Some(attributes()?))
            .set_message_system_attributes(system_attributes()?)
            .delay_seconds(seconds(pause))
            .send()
            .await
            .map_err(aws_sdk_sqs::Error::from)
            .context("sending a job_ref")?;
        Ok(())
    }

    async fn send_all(&self, job_refs: &[JobRef]) -> anyhow::Result<()> {
        for job_refs in job_refs.chunks(BATCH) {
            let mut call = self.client.get().await?.send_message_batch();
            for (index, job_ref) in job_refs.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(serde_json::to_string(job_ref)?)
                    .set_message_attributes(Some(attributes()?))
                    .set_message_system_attributes(system_attributes()?)
                    .build()?;
                call = call.entries(entry);
            }
            let output = call
                .queue_url(&self.url)
                .send()
                .await
                .map_err(aws_sdk_sqs::Error::from)
                .context("sending job_refs")?;
            if let Some(failed) = output.failed().first() {
                anyhow::bail!("sending a job_ref: {}", failed.code());
            }
        }
        Ok(())
    }
}

impl Queue for Sqs {
    fn notify(&self, job_ref: JobRef, pause: Duration) -> BoxFuture<'_, anyhow::Result<()>> {
        self.send(job_ref, pause).boxed()
    }

    fn notify_all<'a>(&'a self, job_refs: &'a [JobRef]) -> BoxFuture<'a, anyhow::Result<()>> {
        self.send_all(job_refs).boxed()
    }
}

type Attributes = HashMap<String, MessageAttributeValue>;

/// The trace that the work belongs to, as the worker reads it.
fn attributes() -> anyhow::Result<Attributes> {
    let own = Some(("x-trace-id", trace::id()));
    let w3c = trace::traceparent().map(|it| ("traceparent", it));
    let named = own.into_iter().chain(w3c).map(|(name, text)| {
        let value = MessageAttributeValue::builder().data_type("String");
        Ok((name.to_owned(), value.string_value(text).build()?))
    });
    named.collect()
}

type SystemAttributes = HashMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>;

/// The same for X-Ray.
fn system_attributes() -> anyhow::Result<Option<SystemAttributes>> {
    let Some(header) = trace::xray_header() else {
        return Ok(None);
    };
    let value = MessageSystemAttributeValue::builder().data_type("String");
    let value = value.string_value(header).build()?;
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    Ok(Some(HashMap::from([(name, value)])))
}

fn seconds(pause: Duration) -> i32 {
    let pause = pause.min(MAX_PAUSE);
    i32::try_from(pause.as_secs()).expect("at most 900")
}
