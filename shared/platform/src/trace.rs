//! The request's own context: its trace id, its tenant, its place in the rate limit.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use schema::TenantId;
use serde_json::Map;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::limit::Standing;
use crate::metrics::{self, Metrics, Unit};

tokio::task_local! {
    static CONTEXT: Arc<Context>;
}

const NO_PANIC: &str = "nothing panics while it is held";

struct Context {
    trace_id: String,
    tenant: OnceLock<TenantId>,
    standing: Mutex<Option<Standing>>,
    metrics: Mutex<Metrics>,
}

impl Context {
    fn new(headers: &HeaderMap) -> Context {
        Context {
            trace_id: incoming(headers).unwrap_or_else(|| Uuid::new_v4().simple().to_string()),
            tenant: OnceLock::new(),
            standing: Mutex::default(),
            metrics: Mutex::default(),
        }
    }

    async fn run<T>(self: Arc<Self>, span: Span, work: impl Future<Output = T>) -> T {
        let result = CONTEXT.scope(self.clone(), work.instrument(span)).await;
        let mut properties = Map::new();
        properties.insert("trace_id".to_owned(), self.trace_id.clone().into());
        if let Some(tenant) = self.tenant.get() {
            properties.insert("tenant".to_owned(), tenant.to_string().into());
        }
        self.metrics.lock().expect(NO_PANIC).flush(properties);
        result
    }

    /// What the client is told of it.
    fn write(&self, headers: &mut HeaderMap) {
        let trace_id = HeaderValue::from_str(&self.trace_id).expect("ASCII words");
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
        .try_with(|it| it.trace_id.clone())
        .unwrap_or_else(|_| "0".repeat(32))
}

/// Notes whose request this is, for its log lines.
pub fn set_tenant(tenant: TenantId) {
    let _ = CONTEXT.try_with(|it| it.tenant.set(tenant));
    tracing::Span::current().record("tenant", tracing::field::display(tenant));
}

/// Notes where the caller stands in the rate limit, for the response's headers.
pub(crate) fn set_standing(standing: Standing) {
    let _ = CONTEXT.try_with(|it| {
        *it.standing.lock().expect(NO_PANIC) = Some(standing);
    });
}

/// Lets the metrics of the current request be added to; outside of one nothing is counted.
pub(crate) fn with_metrics(add: impl FnOnce(&mut Metrics)) {
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

/// Runs what one message is for within a context of its own.
pub(crate) async fn message<T, E>(
    headers: &HeaderMap,
    id: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let context = Arc::new(Context::new(headers));
    let span = tracing::info_span!(
        "message",
        trace_id = %context.trace_id,
        tenant = tracing::field::Empty,
        message_id = id,
    );
    context.run(span, counted("message", work)).await
}

/// Runs what is due under a name within a context of its own.
pub(crate) async fn schedule<T, E>(
    name: &str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let context = Arc::new(Context::new(&HeaderMap::new()));
    let span = tracing::info_span!("schedule", trace_id = %context.trace_id, schedule = name);
    context.run(span, counted("schedule", work)).await
}

/// Logs the end of what came otherwise than through HTTP, and counts it.
async fn counted<T, E>(what: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let start = Instant::now();
    let result = work.await;
    let duration_ms = ended(start, result.is_err());
    let word = if result.is_ok() { "done" } else { "failed" };
    tracing::info!(duration_ms, "{what} {word}");
    result
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
        trace_id = %context.trace_id,
        tenant = tracing::field::Empty,
        %method,
        %route,
    );
    let run = async {
        let start = Instant::now();
        let response = next.run(request).await;
        let status = response.status();
        tracing::info!(
            status = status.as_u16(),
            duration_ms = ended(start, status.is_server_error()),
            "{method} {route} {}",
            status.as_u16(),
        );
        response
    };
    let mut response = context.clone().run(span, run).await;
    context.write(response.headers_mut());
    response
}

/// Counts a request that is over, and says how many milliseconds it took.
fn ended(start: Instant, failed: bool) -> f64 {
    let duration_ms = start.elapsed().as_secs_f64() * 1e3;
    metrics::count("Requests", 1);
    metrics::count("Errors", usize::from(failed));
    metrics::count("ColdStart", usize::from(metrics::is_first()));
    metrics::add("Latency", Unit::Milliseconds, duration_ms);
    duration_ms
}

/// The trace id that the client sent, in W3C `traceparent` or in `X-Trace-Id`; else that of
/// X-Ray, which the gateway gave.
fn incoming(headers: &HeaderMap) -> Option<String> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|it: &HeaderValue| it.to_str().ok())
    };
    let parent = text("traceparent").and_then(trace_of);
    let own = text("x-trace-id").filter(|it| is_safe(it));
    let xray = || text("x-amzn-trace-id").and_then(xray_trace);
    parent.or(own).map(str::to_owned).or_else(xray)
}

/// The trace of X-Ray's `Root=1-5759e988-bd862e3fe1be46a994272793;…`, as W3C writes it.
fn xray_trace(header: &str) -> Option<String> {
    let (time, rest) = xray_root(header)?.strip_prefix("1-")?.split_once('-')?;
    (is_hex(time, 8) && is_hex(rest, 24)).then(|| format!("{time}{rest}"))
}

/// The trace in X-Ray's header, as X-Ray writes it.
pub(crate) fn xray_root(header: &str) -> Option<&str> {
    let mut parts = header.split(';').map(str::trim);
    parts.find_map(|it| it.strip_prefix("Root="))
}

/// The trace of a W3C `traceparent`. A later version may have more parts than four.
fn trace_of(parent: &str) -> Option<&str> {
    let parts: Vec<_> = parent.split('-').collect();
    let [version, trace, span, flags, rest @ ..] = &parts[..] else {
        return None;
    };
    let known = is_hex(version, 2) && *version != "ff" && (*version != "00" || rest.is_empty());
    let there = |it: &str| it.bytes().any(|digit| digit != b'0');
    let whole = is_hex(trace, 32) && there(trace) && is_hex(span, 16) && there(span);
    (known && whole && is_hex(flags, 2)).then_some(*trace)
}

fn is_hex(text: &str, length: usize) -> bool {
    let digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    text.len() == length && text.bytes().all(digit)
}

/// Whether a client's own id can stand in a log line: a UUID of any spelling can.
fn is_safe(id: &str) -> bool {
    let word = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    (1..=64).contains(&id.len()) && id.bytes().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &str, expected: Option<&str>) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        assert_eq!(incoming(&headers).as_deref(), expected, "{name}: {value}");
    }

    #[test]
    fn a_client_may_bring_its_trace() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(
            "traceparent",
            &format!("00-{trace}-00f067aa0ba902b7-01"),
            Some(trace),
        );
        check("x-trace-id", trace, Some(trace));
        check(
            "traceparent",
            &format!("ff-{trace}-00f067aa0ba902b7-01"),
            None,
        );
        check(
            "traceparent",
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            None,
        );
        check("traceparent", "00-4bf9-00f067aa0ba902b7-01", None);
        check(
            "traceparent",
            &format!("00-{trace}-00f067aa0ba902b7-01-x"),
            None,
        );
        check(
            "traceparent",
            &format!("00-{trace}-{}-01", "0".repeat(16)),
            None,
        );
        check("traceparent", &format!("00-{trace}"), None);
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        check(
            "x-amzn-trace-id",
            &format!("{root};Parent=53995c3f42cd8ad8;Sampled=1"),
            Some("5759e988bd862e3fe1be46a994272793"),
        );
        check("x-amzn-trace-id", "Root=1-5759e988-zz", None);
        check(
            "traceparent",
            &format!("01-{trace}-00f067aa0ba902b7-01-more"),
            Some(trace),
        );
        let uuid = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
        check("x-trace-id", uuid, Some(uuid));
        check("x-trace-id", "a line\tthat is none", None);
        check("x-trace-id", &"a".repeat(65), None);
    }
}
