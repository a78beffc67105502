//! Events from outside.

use aam::ingest::{MAX_ITEMS, Outcome};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use platform::extract::Json;
use platform::{Caller, Ingester, Platform, Problem, Result, Routes, extract, metrics, routes};
use schema::{Error, FieldError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cloud_event::{self, Attributes};
use crate::envelope::{self, Envelope};
use crate::event::{Event, InvalidEvent};
use crate::ingest::{Disposition, ingest_events};

const MAX_BODY: usize = 5 << 20;

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(create))
}

/// One event, or a list of them.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    reason = "a body is split before it is read, and only described here"
)]
enum NewEvents<'a> {
    Envelope(Envelope<'a>),
    CloudEvent(Attributes<'a>),
    List(EventList<'a>),
}

/// At most 1,000 events.
#[derive(ToSchema)]
#[schema(max_items = 1000)]
#[expect(dead_code, reason = "as what it is part of")]
struct EventList<'a>(Vec<NewEvent<'a>>);

/// An event.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "as what it is part of")]
enum NewEvent<'a> {
    Envelope(Envelope<'a>),
    CloudEvent(Attributes<'a>),
}

/// The results of a request's events.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Receipt {
    pub(crate) accepted: usize,
    pub(crate) unchanged: usize,
    pub(crate) stale: usize,
    pub(crate) duplicate: usize,
    pub(crate) quarantined: usize,
    pub(crate) rejected: usize,
    /// One per event, in their order.
    pub(crate) results: Vec<EventResult>,
    /// Whether the body was a list of events.
    #[serde(skip)]
    is_list: bool,
}

/// The result of one event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventResult {
    /// Its place in the request, from 0.
    pub(crate) index: usize,
    /// Its id, if it has one.
    id: Option<String>,
    pub(crate) status: Status,
    /// Where in it the fault is.
    #[serde(skip)]
    pointer: String,
    /// Why it was not accepted, where the status does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EventStatus)]
pub(crate) enum Status {
    /// Written.
    Accepted,
    /// The same is stored already.
    Unchanged,
    /// A newer version is stored.
    Stale,
    /// An event of this id was seen before.
    Duplicate,
    /// Kept with its reason, to be replayed.
    Quarantined,
    /// Not an event.
    Rejected,
}

/// Ingests one event or a batch of up to 1,000, at most 5 MB.
///
/// The events are the platform's envelopes or CloudEvents 1.0, as `application/json`; CloudEvents
/// also as `application/cloudevents+json`, as `application/cloudevents-batch+json`, or binary, with
/// the attributes in `ce-` headers and the record as the body. A CloudEvent's `source` ends with `/connections/<connection id>/<system>`,
/// its `type` with `<entity>.upsert` or `<entity>.delete`.
///
/// Each event has its own result; an invalid one does not affect the others. A request of which
/// every event is rejected is answered 422, with each reason in `errors`. The request can be
/// repeated: an event is identified by its `id` and its source, and takes effect once. The id of
/// an event that was quarantined or rejected can be used again for the corrected one.
#[utoipa::path(post, path = "/api/v1/events", tag = "events",
    operation_id = "events.create",
    request_body(content = NewEvents<'_>, description = "One event, or a list of them."),
    security(("bearer" = ["ingest"])),
    responses((status = 202, body = Receipt), (status = 400), (status = 413), (status = 415),
        (status = 422)))]
async fn create(
    State(platform): State<Platform>,
    Ingester(caller): Ingester,
    Body(headers, body): Body,
) -> Result<(StatusCode, Json<Receipt>)> {
    let receipt = ingest_body(&platform, &caller, &headers, &body).await?;
    if receipt.is_rejected() {
        return Err(receipt.into_error(MAX_ITEMS).into());
    }
    Ok((StatusCode::ACCEPTED, Json(receipt)))
}

/// Ingests the events of a body, whichever way it came.
pub(crate) async fn ingest_body(
    platform: &Platform,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Receipt> {
    let now = platform::now();
    let events = read(headers, body)?.into_iter();
    let events: Events<'_> = events
        .map(|it| it.and_then(|it| it.check_time(now)))
        .collect();
    let valid = events.iter().flatten();
    let mut dispositions = ingest_events(platform, caller, valid, now)
        .await?
        .into_iter();
    let mut receipt = Receipt {
        is_list: !cloud_event::is_binary(headers) && envelope::is_list(body),
        ..Receipt::default()
    };
    for event in events {
        match event {
            Ok(event) => {
                let disposition = dispositions.next();
                let disposition = disposition.expect("there is one for each event");
                receipt.add(event.id, String::new(), disposition);
            }
            Err(InvalidEvent {
                id,
                pointer,
                reason,
            }) => receipt.add(id, pointer, Disposition::Rejected(reason)),
        }
    }
    metrics::count("EventsAccepted", receipt.accepted);
    metrics::count("EventsQuarantined", receipt.quarantined);
    metrics::count("EventsRejected", receipt.rejected);
    Ok(receipt)
}

/// A body of any media type, with the headers that say how to read it.
struct Body(HeaderMap, axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(mut request: Request, state: &S) -> Result<Body> {
        let headers = std::mem::take(request.headers_mut());
        let body = extract::body(request, state).await?;
        if MAX_BODY < body.len() {
            return Err(Error::TooLarge("at most 5 MB: send several requests".to_owned()).into());
        }
        Ok(Body(headers, body))
    }
}

/// An event each, or why it is none.
type Events<'a> = Vec<Result<Event<'a>, InvalidEvent>>;

fn read<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Events<'a>> {
    let is_binary = cloud_event::is_binary(headers);
    // There the type of the body is `datacontenttype`, which may be left out: then it is JSON.
    if !is_binary || headers.contains_key(header::CONTENT_TYPE) {
        extract::require_json(headers)?;
    }
    if is_binary {
        return Ok(vec![cloud_event::parse_binary(headers, body)]);
    }
    let body = std::str::from_utf8(body).map_err(|err| {
        let at = err.valid_up_to();
        Error::BadRequest(format!("the body is not UTF-8 from byte {at}"))
    })?;
    let parse = if cloud_event::is_structured(headers) {
        cloud_event::parse
    } else {
        parse_either
    };
    Ok(envelope::split(body)?.into_iter().map(parse).collect())
}

fn parse_either(item: &str) -> Result<Event<'_>, InvalidEvent> {
    match envelope::parse(item) {
        Err(_) if cloud_event::is_one(item) => cloud_event::parse(item),
        read => read,
    }
}

impl Receipt {
    /// Whether there were events, and none of them could be read as one.
    fn is_rejected(&self) -> bool {
        0 < self.rejected && self.rejected == self.results.len()
    }

    /// Why events were rejected, each with its place; so many at most.
    pub(crate) fn into_error(self, most: usize) -> Error {
        let rejected = self.results.into_iter();
        let rejected = rejected.filter(|it| it.status == Status::Rejected);
        let reasons = rejected.take(most).map(|it| FieldError {
            pointer: match self.is_list {
                true => format!("/{}{}", it.index, it.pointer),
                false => it.pointer,
            },
            detail: it.reason.unwrap_or_default(),
        });
        Error::Invalid(reasons.collect())
    }

    fn add(&mut self, id: Option<String>, pointer: String, disposition: Disposition) {
        let (status, reason) = match disposition {
            Disposition::Rejected(reason) => (Status::Rejected, Some(reason)),
            Disposition::Duplicate => (Status::Duplicate, None),
            Disposition::Ingested(Outcome::Accepted | Outcome::Deleted) => (Status::Accepted, None),
            Disposition::Ingested(Outcome::Unchanged) => (Status::Unchanged, None),
            Disposition::Ingested(Outcome::Stale) => (Status::Stale, None),
            Disposition::Ingested(Outcome::Quarantined { field, reason, .. }) => {
                let reason = match field {
                    Some(field) => format!("{field}: {reason}"),
                    None => reason,
                };
                (Status::Quarantined, Some(reason))
            }
        };
        *self.count(status) += 1;
        self.results.push(EventResult {
            index: self.results.len(),
            id,
            status,
            pointer,
            reason,
        });
    }

    fn count(&mut self, status: Status) -> &mut usize {
        match status {
            Status::Accepted => &mut self.accepted,
            Status::Unchanged => &mut self.unchanged,
            Status::Stale => &mut self.stale,
            Status::Duplicate => &mut self.duplicate,
            Status::Quarantined => &mut self.quarantined,
            Status::Rejected => &mut self.rejected,
        }
    }
}
