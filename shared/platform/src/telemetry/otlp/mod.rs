//! Spans to an OpenTelemetry collector, as OTLP over HTTP in binary protobuf, where one is
//! configured.
//!
//! OpenTelemetry's own crates export from a thread that blocks, which a function of one thread that
//! is frozen between its events has no use for. A span here is a request, a message or a schedule.

mod wire;

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use uuid::Uuid;

use crate::{env, https};

/// More are not kept for a collector that does not answer.
const MAX_SPANS: usize = 1000;
/// A collector is near, and the function waits for it.
const PATIENCE: Duration = Duration::from_millis(500);

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// What a span did for whoever asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Internal = 1,
    Server = 2,
    Consumer = 5,
}

/// The name of a span in its trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanId([u8; 8]);

impl SpanId {
    pub(crate) fn random() -> SpanId {
        let random = Uuid::new_v4();
        let (_, last) = random.as_bytes().split_at(8);
        SpanId(last.try_into().expect("half of 16 bytes"))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Work that is over.
pub(crate) struct Span<'a> {
    pub(crate) trace_id: &'a str,
    pub(crate) id: SpanId,
    pub(crate) parent: Option<&'a str>,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) time: Range<SystemTime>,
    pub(crate) failed: bool,
    pub(crate) tenant: Option<String>,
}

/// The same as it is sent.
struct Recorded {
    trace_id: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    kind: Kind,
    name: String,
    time: Range<SystemTime>,
    failed: bool,
    attributes: Vec<(&'static str, String)>,
}

struct Exporter {
    service: String,
    url: Uri,
    headers: HeaderMap,
    client: https::Client<Full<Bytes>>,
    spans: Mutex<Vec<Recorded>>,
}

/// Sends spans from now on, if `OTEL_EXPORTER_OTLP_ENDPOINT` says where to.
pub(crate) fn init(service: &str) -> anyhow::Result<()> {
    let own = env::optional::<String>("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")?;
    let common = || -> anyhow::Result<Option<String>> {
        let base = env::optional::<String>("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        Ok(base.map(|it| format!("{}/v1/traces", it.trim_end_matches('/'))))
    };
    let Some(url) = own.map_or_else(common, |it| Ok(Some(it)))? else {
        return Ok(());
    };
    let url = url
        .parse()
        .with_context(|| format!("OTEL_EXPORTER_OTLP_ENDPOINT is `{url}`"))?;
    let list = env::optional::<String>("OTEL_EXPORTER_OTLP_HEADERS")?.unwrap_or_default();
    let exporter = Exporter {
        service: service.to_owned(),
        url,
        headers: headers(&list)?,
        client: https::client()?,
        spans: Mutex::default(),
    };
    // An error says that there is one already, and a process is one service.
    let _ = EXPORTER.set(exporter);
    Ok(())
}

/// `name=value,name=value`.
fn headers(list: &str) -> anyhow::Result<HeaderMap> {
    let pairs = list.split(',').map(str::trim).filter(|it| !it.is_empty());
    let pairs = pairs.map(|it| {
        let (name, value) = it.split_once('=').context("a header is name=value")?;
        let value = HeaderValue::from_str(value.trim())?;
        Ok((name.trim().parse::<HeaderName>()?, value))
    });
    let mut headers = pairs
        .collect::<anyhow::Result<HeaderMap>>()
        .context("OTEL_EXPORTER_OTLP_HEADERS is malformed: name=value,name=value")?;
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    headers.insert(header::CONTENT_TYPE, protobuf);
    Ok(headers)
}

/// Keeps a span for the next [`flush`], where there is a collector.
pub(crate) fn record<'a>(span: impl FnOnce() -> Span<'a>) {
    let Some(exporter) = EXPORTER.get() else {
        return;
    };
    let mut spans = exporter
        .spans
        .lock()
        .expect("nothing panics while it is held");
    if spans.len() < MAX_SPANS {
        spans.push(span().recorded());
    }
}

/// Sends what was kept. A collector that is away costs spans, and no request.
pub(crate) async fn flush() {
    let Some(exporter) = EXPORTER.get() else {
        return;
    };
    let spans = std::mem::take(
        &mut *exporter
            .spans
            .lock()
            .expect("nothing panics while it is held"),
    );
    if spans.is_empty() {
        return;
    }
    match tokio::time::timeout(PATIENCE, exporter.send(&spans)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = format!("{error:#}");
            tracing::warn!(error, "{} spans are lost", spans.len());
        }
        Err(_) => tracing::warn!("{} spans are lost: the collector is slow", spans.len()),
    }
}

impl Exporter {
    async fn send(&self, spans: &[Recorded]) -> anyhow::Result<()> {
        let body = Full::from(wire::request(&self.service, spans));
        let mut request = Request::post(self.url.clone()).body(body)?;
        request.headers_mut().extend(self.headers.clone());
        let response = self.client.request(request).await?;
        let status = response.status();
        anyhow::ensure!(status.is_success(), "the collector says {status}");
        Ok(())
    }
}

impl Span<'_> {
    fn recorded(self) -> Recorded {
        let mut attributes = vec![];
        if let Some(tenant) = self.tenant {
            attributes.push(("tenant", tenant));
        }
        let parent = self.parent.and_then(|it| u64::from_str_radix(it, 16).ok());
        Recorded {
            trace_id: trace_id(self.trace_id, &mut attributes),
            id: self.id.0,
            parent: parent.map(u64::to_be_bytes),
            kind: self.kind,
            name: self.name,
            time: self.time,
            failed: self.failed,
            attributes,
        }
    }
}

/// A client's own id need not be one of OpenTelemetry's: then its hash is, and it is told beside.
fn trace_id(text: &str, attributes: &mut Vec<(&'static str, String)>) -> [u8; 16] {
    if let Ok(id) = Uuid::parse_str(text) {
        return id.into_bytes();
    }
    attributes.push(("trace_id", text.to_owned()));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let (first, _) = hash.as_ref().split_at(16);
    first.try_into().expect("half of 32 bytes")
}
