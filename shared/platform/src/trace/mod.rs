//! The request's own context: its trace id, its tenant, its place in the rate limit.

pub mod metrics;
mod parent;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use schema::TenantId;
use serde_json::Map;
use tracing::{Instrument, Span};

use crate::quota::RateLimitStatus;
use crate::telemetry::otlp::{self, Kind, SpanId};
use metrics::{Metrics, Unit};
use parent::{Parent, is_hex};

pub(crate) use parent::xray_root;

tokio::task_local! {
    static CONTEXT: Arc<Context>;
}

const NO_PANIC: &str = "nothing panics while it is held";

struct Context {
    parent: Parent,
    start: Instant,
    /// The request's own span, for whoever it asks in turn.
    span: SpanId,
    tenant: OnceLock<TenantId>,
    standing: Mutex<Option<RateLimitStatus>>,
    metrics: Mutex<Metrics>,
}

impl Context {
    fn new(headers: &HeaderMap) -> Context {
        Context {
            parent: Parent::of(headers),
            start: Instant::now(),
            span: SpanId::random(),
            tenant: OnceLock::new(),
            standing: Mutex::default(),
            metrics: Mutex::default(),
        }
    }

    /// Does the work within the context, and tells of it when it is done.
    async fn run<T>(
        self: Arc<Self>,
        (kind, span): (Kind, Span),
        work: impl Future<Output = Ended<T>>,
    ) -> T {
        let start = SystemTime::now();
        let ended = CONTEXT.scope(self.clone(), work.instrument(span)).await;
        if self.parent.sampled {
            otlp::record(|| otlp::Span {
                trace_id: &self.parent.trace_id,
                id: self.span,
                parent: self.parent.span.as_deref(),
                kind,
                name: ended.name,
                time: start..SystemTime::now(),
                failed: ended.failed,
                tenant: self.tenant.get().map(ToString::to_string),
            });
        }
        let mut properties = Map::new();
        properties.insert("trace_id".to_owned(), self.parent.trace_id.clone().into());
        if let Some(tenant) = self.tenant.get() {
            properties.insert("tenant".to_owned(), tenant.to_string().into());
        }
        self.metrics.lock().expect(NO_PANIC).flush(properties);
        ended.result
    }

    /// What the client is told of it.
    fn write(&self, headers: &mut HeaderMap) {
        let trace_id = HeaderValue::from_str(&self.parent.trace_id).expect("ASCII words");
        headers.insert("x-trace-id", trace_id);
        if let Some(standing) = &*self.standing.lock().expect(NO_PANIC) {
            standing.write(headers);
        }
    }
}

/// The trace id of the current request: 32 hex digits, or what the client sent as
/// `X-Trace-Id`; all zeros outside of one.
pub fn id() -> String {
    CONTEXT
        .try_with(|it| it.parent.trace_id.clone())
        .unwrap_or_else(|_| "0".repeat(32))
}

/// How long the current request has run; none outside of one.
pub(crate) fn so_far() -> Option<Duration> {
    CONTEXT.try_with(|it| it.start.elapsed()).ok()
}

/// The current request as a W3C `traceparent`, for whoever is asked in turn.
pub(crate) fn traceparent() -> Option<String> {
    let context = CONTEXT.try_with(Arc::clone).ok()?;
    let Parent {
        trace_id, sampled, ..
    } = &context.parent;
    let flags = u8::from(*sampled);
    is_hex(trace_id, 32).then(|| format!("00-{trace_id}-{}-{flags:02x}", context.span))
}

/// The same for X-Ray, as SQS passes it on.
pub(crate) fn xray_header() -> Option<String> {
    let parent = traceparent()?;
    let mut parts = parent.split('-').skip(1);
    let (trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, rest) = trace.split_at_checked(8)?;
    let sampled = u8::from(flags == "01");
    Some(format!(
        "Root=1-{time}-{rest};Parent={span};Sampled={sampled}"
    ))
}

/// Notes whose request this is, for its log lines.
pub fn set_tenant(tenant: TenantId) {
    let _ = CONTEXT.try_with(|it| it.tenant.set(tenant));
    tracing::Span::current().record("tenant", tracing::field::display(tenant));
}

/// Notes where the caller stands in a rate limit, for the response's headers: they tell of the
/// tightest.
pub(crate) fn add_standing(standing: RateLimitStatus) {
    let _ = CONTEXT.try_with(|it| {
        let mut kept = it.standing.lock().expect(NO_PANIC);
        if kept.is_none_or(|it| standing.is_tighter_than(it)) {
            *kept = Some(standing);
        }
    });
}

/// Notes where the caller stands now, whatever was noted before.
pub(crate) fn set_standing(standing: RateLimitStatus) {
    let _ = CONTEXT.try_with(|it| {
        *it.standing.lock().expect(NO_PANIC) = Some(standing);
    });
}

/// Lets the metrics of the current request be added to; outside of one nothing is counted.
fn with_metrics(add: impl FnOnce(&mut Metrics)) {
    let _ = CONTEXT.try_with(|it| add(&mut it.metrics.lock().expect(NO_PANIC)));
}

/// The future within the current request's context, in whatever task it runs.
pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let context = CONTEXT.try_with(Arc::clone).ok();
    async move {
        match context {
            Some(context) => CONTEXT.scope(context, future).await,
            None => future.await,
        }
    }
    .in_current_span()
}

/// Work that is over.
struct Ended<T> {
    result: T,
    name: String,
    failed: bool,
}

/// Runs what one message is for within a context of its own.
pub(crate) async fn message<T, E>(
    headers: &HeaderMap,
    id: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let context = Arc::new(Context::new(headers));
    let span = tracing::info_span!(
        "message",
        trace_id = %context.parent.trace_id,
        tenant = tracing::field::Empty,
        message_id = id,
    );
    let work = counted("message".to_owned(), work);
    context.run((Kind::Consumer, span), work).await
}

/// Runs what is due under a name within a context of its own.
pub(crate) async fn schedule<T, E>(
    name: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let context = Arc::new(Context::new(&HeaderMap::new()));
    let trace_id = &context.parent.trace_id;
    let span = tracing::info_span!("schedule", %trace_id, schedule = name);
    let work = counted(format!("schedule {name}"), work);
    context.run((Kind::Internal, span), work).await
}

/// Logs the end of what came otherwise than through HTTP, and counts it.
async fn counted<T, E>(
    name: String,
    work: impl Future<Output = Result<T, E>>,
) -> Ended<Result<T, E>> {
    let result = work.await;
    let failed = result.is_err();
    let duration_ms = ended(failed);
    let word = if failed { "failed" } else { "done" };
    tracing::info!(duration_ms, "{name} {word}");
    Ended {
        result,
        name,
        failed,
    }
}

/// Runs a request within its context, logs its end, and puts the context's headers on the answer.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let context = Arc::new(Context::new(request.headers()));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |it| it.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        trace_id = %context.parent.trace_id,
        tenant = tracing::field::Empty,
        %method,
        %route,
    );
    let run = async {
        let result = next.run(request).await;
        let status = result.status();
        let failed = status.is_server_error();
        tracing::info!(
            status = status.as_u16(),
            duration_ms = ended(failed),
            "{method} {route} {}",
            status.as_u16(),
        );
        let name = format!("{method} {route}");
        Ended {
            result,
            name,
            failed,
        }
    };
    let mut response = context.clone().run((Kind::Server, span), run).await;
    context.write(response.headers_mut());
    response
}

/// Counts the current request, which is over, and says how many milliseconds it took.
fn ended(failed: bool) -> f64 {
    let duration_ms = so_far().unwrap_or_default().as_secs_f64() * 1e3;
    metrics::count("Requests", 1);
    metrics::count("Errors", usize::from(failed));
    metrics::count("ColdStart", usize::from(metrics::is_first()));
    metrics::add("Latency", Unit::Milliseconds, duration_ms);
    duration_ms
}
