//! Messages of a queue, each with its own outcome.
//!
//! **Invariant:** the answer names only messages of the batch, by ids that are not empty: SQS
//! takes any other name for the failure of them all. A [`MessageId`] is made from a message only.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::FutureExt;
use lambda_http::aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use schema::Error;
use serde::Serialize;

use super::Consumer;
use crate::deadline::Deadline;
use crate::queue::{Client, Visibility};
use crate::{Problem, trace};

/// What is left of the time for the answer, and for showing messages again.
const MARGIN: Duration = Duration::from_secs(1);
/// How long a message rests that failed for the first, the second, and every other time.
const PAUSES: [u64; 3] = [10, 30, 60];

/// A message of a queue.
#[derive(Debug)]
pub struct Message {
    /// Its text.
    pub body: String,
    /// Its attributes, as a request has headers: names in lower case, trace included.
    pub headers: HeaderMap,
    id: MessageId,
    receipt: String,
    receives: usize,
}

/// The name of a message of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct MessageId(String);

/// The messages that come again, as SQS wants to hear it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: MessageId,
}

/// A batch, all of one queue.
pub(super) struct Batch {
    queue_url: Option<String>,
    messages: Vec<Message>,
}

impl Batch {
    /// # Errors
    /// A message that has no id, or that of another: if it failed, it could not be named, and
    /// would be deleted.
    pub(super) fn new(event: SqsEvent) -> anyhow::Result<Batch> {
        let first = event.records.first();
        let queue_url = first.and_then(|it| queue_url(it.event_source_arn.as_deref()?));
        let messages = event.records.into_iter().map(Message::new);
        let messages = messages.collect::<anyhow::Result<Vec<_>>>()?;
        let ids: HashSet<_> = messages.iter().map(|it| &it.id).collect();
        anyhow::ensure!(ids.len() == messages.len(), "two messages have one id");
        Ok(Batch {
            queue_url,
            messages,
        })
    }

    /// Gives each message to the consumer, one after the other, and says which come again.
    pub(super) async fn consume(
        self,
        consumer: &impl Consumer,
        client: &Client,
        deadline: Deadline,
    ) -> Failures {
        let end = deadline.earlier(MARGIN);
        let mut failures = Failures::default();
        let mut again = Vec::new();
        for message in self.messages {
            let Err(problem) = message.consume(consumer, end).await else {
                continue;
            };
            let pause = message.pause(&problem);
            again.push(Visibility {
                receipt: message.receipt,
                pause,
            });
            failures.batch_item_failures.push(Failure {
                item_identifier: message.id,
            });
        }
        if let Some(queue_url) = self.queue_url
            && !again.is_empty()
        {
            show_again(client, &queue_url, &again, deadline).await;
        }
        failures
    }
}

/// Best effort: where it fails, the messages come again when the queue's own time is over.
async fn show_again(client: &Client, queue_url: &str, again: &[Visibility], deadline: Deadline) {
    match deadline.limit(client.show_again(queue_url, again)).await {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            let error = format!("{error:#}");
            tracing::warn!(error, "failed messages rest for as long as the queue says");
        }
        None => tracing::warn!("no time was left to say when failed messages come again"),
    }
}

impl Message {
    fn new(message: SqsMessage) -> anyhow::Result<Message> {
        let id = message.message_id.filter(|it| !it.is_empty());
        let id = id.context("a message of the batch has no id")?;
        let receives = message.attributes.get("ApproximateReceiveCount");
        let receives = receives.and_then(|it| it.parse().ok()).unwrap_or(1);
        let mut headers = HeaderMap::new();
        let attributes = message.message_attributes.iter();
        let named =
            attributes.filter_map(|(name, it)| Some((name.as_str(), it.string_value.as_deref()?)));
        let trace = message.attributes.get("AWSTraceHeader");
        for (name, value) in named.chain(trace.map(|it| ("x-amzn-trace-id", it.as_str()))) {
            // What no header can hold says nothing to us.
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        Ok(Message {
            body: message.body.unwrap_or_default(),
            headers,
            id: MessageId(id),
            receipt: message.receipt_handle.unwrap_or_default(),
            receives,
        })
    }

    async fn consume(&self, consumer: &impl Consumer, end: Deadline) -> Result<(), Problem> {
        let work = async {
            let take = AssertUnwindSafe(consumer.take(self, end)).catch_unwind();
            let result = match end.limit(take.boxed()).await {
                Some(Ok(result)) => result,
                Some(Err(panic)) => Err(crate::http::panicked(panic)),
                None => Err(Error::Unavailable("the function's time was over").into()),
            };
            if let Err(problem) = &result {
                problem.log(&format!("message {} failed", self.id.0));
            }
            result
        };
        trace::message(&self.headers, &self.id.0, work).await
    }

    /// How long the message rests. One that can never be taken goes to the dead letters soon.
    fn pause(&self, problem: &Problem) -> Duration {
        if !problem.may_pass() {
            return Duration::ZERO;
        }
        let index = self.receives.saturating_sub(1).min(PAUSES.len() - 1);
        Duration::from_secs(PAUSES[index])
    }
}

/// The queue's URL, from its `arn:partition:sqs:region:account:name`.
fn queue_url(arn: &str) -> Option<String> {
    let parts: Vec<_> = arn.split(':').collect();
    let ["arn", partition, "sqs", region, account, name] = parts[..] else {
        return None;
    };
    let suffix = if partition == "aws-cn" { ".cn" } else { "" };
    Some(format!(
        "https://sqs.{region}.amazonaws.com{suffix}/{account}/{name}"
    ))
}
