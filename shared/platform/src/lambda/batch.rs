//! Messages of a queue, each with its own outcome.
//!
//! **Invariant:** the answer names only messages of the batch, by ids that are not empty: SQS
//! takes any other name for the failure of them all. A [`MessageId`] is made from a message only.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use lambda_http::aws_lambda_events::sqs::SqsEvent;
use schema::Error;
use serde::Serialize;

use super::Consumer;
use crate::deadline::Deadline;
use crate::message::{Message, MessageId};
use crate::queue::{Client, Visibility};
use crate::{Problem, trace};

/// What is left of the time for the answer, and for showing messages again.
const MARGIN: Duration = Duration::from_secs(1);
/// How long a message rests that failed for the first, the second, and every other time.
const BACKOFF: [u64; 3] = [10, 30, 60];

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
pub(super) struct MessageBatch {
    queue_url: Option<String>,
    messages: Vec<Message>,
}

impl MessageBatch {
    /// # Errors
    /// A message that has no id, or that of another: if it failed, it could not be named, and
    /// would be deleted.
    pub(super) fn new(event: SqsEvent) -> anyhow::Result<MessageBatch> {
        let first = event.records.first();
        let queue_url = first.and_then(|it| queue_url(it.event_source_arn.as_deref()?));
        let messages = event.records.into_iter().map(Message::new);
        let messages = messages.collect::<anyhow::Result<Vec<_>>>()?;
        let ids: HashSet<_> = messages.iter().map(|it| &it.id).collect();
        anyhow::ensure!(ids.len() == messages.len(), "two messages have one id");
        Ok(MessageBatch {
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
            tracing::warn!(
                error,
                "the visibility of failed messages was not set, the queue's own timeout applies"
            );
        }
        None => tracing::warn!(
            "no time was left to set the visibility of failed messages, the queue's own timeout applies"
        ),
    }
}

impl Message {
    async fn consume(&self, consumer: &impl Consumer, end: Deadline) -> Result<(), Problem> {
        let work = async {
            let take = AssertUnwindSafe(consumer.take(self, end)).catch_unwind();
            let result = match end.limit(take.boxed()).await {
                Some(Ok(result)) => result,
                Some(Err(panic)) => Err(crate::http::panicked(panic)),
                None => Err(Error::Unavailable("the function ran out of time").into()),
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
        if !problem.is_transient() {
            return Duration::ZERO;
        }
        let index = self.receives.saturating_sub(1).min(BACKOFF.len() - 1);
        Duration::from_secs(BACKOFF[index])
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Result;

    /// Does what the message says.
    struct Obedient;

    impl Consumer for Obedient {
        async fn take(&self, message: &Message, deadline: Deadline) -> Result<()> {
            match message.body.as_str() {
                "succeed" => Ok(()),
                "panic" => panic!("as it was told"),
                "dawdle" => std::future::pending().await,
                "wait" => Err(Error::Unavailable("later").into()),
                other => Err(Error::BadRequest(format!("{other}, {:?}", deadline.left())).into()),
            }
        }

        async fn tick(&self, schedule: &str, _: Deadline) -> Result<()> {
            Err(super::super::unknown_schedule(schedule).into())
        }
    }

    fn event(messages: &[(Value, &str)]) -> SqsEvent {
        let records = messages
            .iter()
            .map(|(id, body)| json!({ "messageId": id, "body": body }));
        serde_json::from_value(json!({ "Records": records.collect::<Vec<_>>() })).unwrap()
    }

    async fn check(messages: &[&str], expected: &[usize]) {
        let named = messages.iter().enumerate();
        let named: Vec<_> = named
            .map(|(id, body)| (json!(id.to_string()), *body))
            .collect();
        let batch = MessageBatch::new(event(&named)).unwrap();
        let deadline = Deadline::after(MARGIN + Duration::from_millis(300));
        let failures = batch.consume(&Obedient, &Client::default(), deadline).await;
        let items = expected
            .iter()
            .map(|it| json!({ "itemIdentifier": it.to_string() }));
        let items: Vec<_> = items.collect();
        let said = serde_json::to_value(failures).unwrap();
        assert_eq!(said, json!({ "batchItemFailures": items }), "{messages:?}");
    }

    #[tokio::test]
    async fn each_message_has_its_own_outcome() {
        check(&[], &[]).await;
        check(&["succeed", "succeed"], &[]).await;
        check(&["succeed", "fail", "succeed"], &[1]).await;
        check(&["panic", "succeed"], &[0]).await;
        check(&["succeed", "dawdle", "succeed"], &[1]).await;
        check(&["wait", "panic", "fail"], &[0, 1, 2]).await;
    }

    #[test]
    fn a_message_without_a_name_of_its_own_fails_the_batch() {
        for (ids, fault) in [
            ([json!(""), json!("a")], "has no id"),
            ([json!(null), json!("a")], "has no id"),
            ([json!("a"), json!("a")], "have one id"),
        ] {
            let error = MessageBatch::new(event(&ids.map(|it| (it, "succeed"))))
                .err()
                .unwrap();
            assert!(error.to_string().contains(fault), "{error}");
        }
    }

    #[test]
    fn a_message_rests_longer_each_time_unless_it_can_never_be_taken() {
        let later = Problem::from(Error::Unavailable("later"));
        let never = Problem::from(Error::BadRequest("never".to_owned()));
        for (receives, pause) in [("1", 10), ("2", 30), ("3", 60), ("9", 60), ("x", 10)] {
            let message = json!({
                "messageId": "a",
                "attributes": { "ApproximateReceiveCount": receives },
            });
            let message = Message::new(serde_json::from_value(message).unwrap()).unwrap();
            assert_eq!(message.pause(&later).as_secs(), pause, "{receives}");
            assert_eq!(message.pause(&never).as_secs(), 0, "{receives}");
        }
    }

    #[test]
    fn attributes_are_headers_and_a_queue_has_a_url() {
        let message = json!({
            "messageId": "a",
            "attributes": { "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793" },
            "messageAttributes": {
                "Authorization": { "stringValue": "Bearer x", "dataType": "String" },
                "no header": { "stringValue": "x", "dataType": "String" },
                "binary": { "binaryValue": "eA==", "dataType": "Binary" },
            },
        });
        let message = Message::new(serde_json::from_value(message).unwrap()).unwrap();
        assert_eq!(message.headers.len(), 2);
        assert_eq!(message.headers["authorization"], "Bearer x");
        let arn = "arn:aws:sqs:eu-central-1:123456789012:events";
        let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/events";
        assert_eq!(queue_url(arn).as_deref(), Some(url));
        assert_eq!(queue_url("events"), None);
    }
}
