//! Messages of a queue, as SQS delivers them.

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_http::aws_lambda_events::sqs::SqsMessage;
use serde::Serialize;

/// A message of a queue.
#[derive(Debug)]
pub struct Message {
    /// Its text.
    pub body: String,
    /// Its attributes, as a request has headers: names in lower case, trace included.
    pub headers: HeaderMap,
    pub(crate) id: MessageId,
    pub(crate) receipt: String,
    pub(crate) receives: usize,
}

/// The name of a message of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct MessageId(pub(crate) String);

impl Message {
    pub(crate) fn new(message: SqsMessage) -> anyhow::Result<Message> {
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
}
