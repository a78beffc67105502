//! A queue, as who sends to it sees it.

use serde_json::{Value, json};

use crate::aws::Aws;

/// A queue.
pub(crate) struct Queue<'a> {
    aws: &'a Aws,
    url: &'a str,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(aws: &'a Aws, url: &'a str) -> Queue<'a> {
        Queue { aws, url }
    }

    /// Sends a message with who sends it.
    pub(crate) async fn send(&self, key: &str, body: &str) {
        let authorization = json!({ "DataType": "String", "StringValue": format!("Bearer {key}") });
        let message = json!({
            "MessageBody": body,
            "MessageAttributes": { "Authorization": authorization },
        });
        self.call("SendMessage", message).await;
    }

    /// How many messages there are, those included that somebody works on.
    pub(crate) async fn total(&self) -> u64 {
        const COUNTS: [&str; 3] = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let answer = self
            .call("GetQueueAttributes", json!({ "AttributeNames": COUNTS }))
            .await;
        let count = |it: &str| answer["Attributes"][it].as_str()?.parse::<u64>().ok();
        COUNTS.iter().filter_map(|it| count(it)).sum()
    }

    /// The texts of up to ten messages, sorted.
    pub(crate) async fn receive(&self) -> Vec<String> {
        let answer = self
            .call("ReceiveMessage", json!({ "MaxNumberOfMessages": 10 }))
            .await;
        let messages = answer["Messages"].as_array().into_iter().flatten();
        let body = |it: &Value| it["Body"].as_str().map(str::to_owned);
        let mut bodies: Vec<_> = messages.filter_map(body).collect();
        bodies.sort();
        bodies
    }

    /// Gives messages of killed functions back soon: a test cannot wait as long as the template
    /// says.
    pub(crate) async fn hide_for(&self, seconds: u32) {
        let attributes = json!({ "VisibilityTimeout": seconds.to_string() });
        self.call("SetQueueAttributes", json!({ "Attributes": attributes }))
            .await;
    }

    async fn call(&self, action: &str, mut body: Value) -> Value {
        body["QueueUrl"] = self.url.into();
        self.aws
            .json("sqs", &format!("AmazonSQS.{action}"), body)
            .await
    }
}
