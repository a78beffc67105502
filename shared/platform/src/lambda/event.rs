//! What comes to a function, told apart by its shape.

use lambda_http::aws_lambda_events::sqs::SqsEvent;
use lambda_http::request::LambdaRequest;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An event.
#[derive(Debug)]
pub(super) enum Event {
    /// A request through API Gateway.
    Http(Box<LambdaRequest>),
    /// Messages of a queue.
    Queue(SqsEvent),
    /// The name of what is due, from EventBridge Scheduler.
    Schedule(String),
}

/// The fields that tell events apart.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "Records")]
    records: Option<IgnoredAny>,
    schedule: Option<String>,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let shape: Shape = serde_json::from_str(raw.get())
            .map_err(|err| Error::custom(format!("not an event: {err}")))?;
        match shape {
            Shape {
                schedule: Some(schedule),
                ..
            } => Ok(Event::Schedule(schedule)),
            Shape {
                records: Some(_), ..
            } => serde_json::from_str(raw.get())
                .map(Event::Queue)
                .map_err(|err| Error::custom(format!("not an event of SQS: {err}"))),
            _ => serde_json::from_str(raw.get())
                .map(|it| Event::Http(Box::new(it)))
                .map_err(|_| {
                    Error::custom(
                        "not an event of API Gateway (payload 2.0), SQS, or a schedule's \
                         `{\"schedule\": name}`",
                    )
                }),
        }
    }
}
