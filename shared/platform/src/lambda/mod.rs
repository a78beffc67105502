//! A function: its router, and what else it is called for.

mod batch;
mod event;
mod shutdown;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use futures_util::FutureExt;
use futures_util::future::join3;
use lambda_http::request::RequestContext;
use lambda_http::{Adapter, Context, LambdaEvent};
use lambda_runtime::{Diagnostic, Runtime, service_fn};
use schema::Error;
use serde_json::value::{RawValue, to_raw_value};
use tower::ServiceExt;
use tower::util::MapFutureLayer;
use tracing::Instrument;

pub use crate::message::Message;

use crate::client_address::ClientAddress;
use crate::deadline::Deadline;
use crate::queue::Client;
use crate::{Config, Platform, Result, Routes, db, http, metrics, telemetry, trace};
use batch::MessageBatch;
use event::Event;

/// What is left of the time for the answer.
const MARGIN: Duration = Duration::from_millis(500);

/// What a function does with messages of its queue, and when something is due.
pub trait Consumer: Send + Sync + 'static {
    /// Takes one message. It may come again, after success too.
    ///
    /// # Errors
    /// The message comes again: after a pause where the cause may pass, else at once, until the
    /// queue's redrive limit puts it with the dead letters.
    fn take(
        &self,
        message: &Message,
        deadline: Deadline,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Does what is due under that name.
    fn tick(&self, schedule: &str, deadline: Deadline) -> impl Future<Output = Result<()>> + Send;
}

/// Of a function that answers requests only.
struct Nothing;

impl Consumer for Nothing {
    async fn take(&self, _: &Message, _: Deadline) -> Result<()> {
        let reason = "this function reads no queue: remove its event source".to_owned();
        Err(Error::BadRequest(reason).into())
    }

    async fn tick(&self, schedule: &str, _: Deadline) -> Result<()> {
        Err(unknown_schedule(schedule).into())
    }
}

/// What a consumer says to a schedule that it does not know.
pub fn unknown_schedule(schedule: &str) -> Error {
    Error::BadRequest(format!(
        "there is no schedule `{schedule}` in this function"
    ))
}

/// Starts a function that answers requests: configuration, platform, router; then serves until
/// it is stopped.
///
/// `routes` makes the function's routes from the platform.
pub async fn main(
    name: &str,
    routes: impl FnOnce(&Platform) -> anyhow::Result<Routes>,
) -> Result<(), lambda_http::Error> {
    consume(name, |platform| Ok((routes(platform)?, Nothing))).await
}

/// The same for a function that also reads a queue or follows a schedule.
pub async fn consume<C: Consumer>(
    name: &str,
    parts: impl FnOnce(&Platform) -> anyhow::Result<(Routes, C)>,
) -> Result<(), lambda_http::Error> {
    telemetry::init(telemetry::Format::Json { service: name })?;
    metrics::init(name);
    telemetry::otlp::init(name)?;
    let platform = Platform::new(Config::from_env()?)?;
    let make = async {
        let (routes, consumer) = parts(&platform)?;
        let router = http::serve(routes, platform.clone(), name).layer(from_fn(prepare));
        anyhow::Ok((router, consumer))
    };
    // The secrets come in while the routes are made. Where they cannot be read, which is logged
    // there, the function is alive all the same: they may be mended while it runs.
    let (_, (), made) = join3(platform.secrets.get(), shutdown::register(), make).await;
    let (router, consumer) = made?;
    let function = Arc::new(Function {
        router,
        consumer,
        client: Client::default(),
        cold: AtomicBool::new(true),
    });
    let serve = service_fn(move |event| function.clone().invoke(event));
    let db = platform.db.clone();
    let runtime = Runtime::new(serve).layer(MapFutureLayer::new(move |invocation| {
        ended(invocation, db.clone())
    }));
    tokio::select! {
        ended = runtime.run() => ended,
        () = shutdown::asked() => {
            shutdown::close(&platform).await;
            Ok(())
        }
    }
}

/// Tidies up once the answer is out: whoever asks for the next event may be frozen until it comes.
async fn ended<T>(invocation: impl Future<Output = T>, db: db::Pool) -> T {
    let result = invocation.await;
    telemetry::otlp::flush().await;
    db.settle().await;
    result
}

/// What lives as long as the environment.
struct Function<C> {
    router: Router,
    consumer: C,
    client: Client,
    cold: AtomicBool,
}

impl<C: Consumer> Function<C> {
    async fn invoke(
        self: Arc<Self>,
        event: LambdaEvent<Event>,
    ) -> Result<Box<RawValue>, Diagnostic> {
        let LambdaEvent { payload, context } = event;
        let span = tracing::info_span!(
            "invocation",
            function_request_id = context.request_id,
            function_arn = context.invoked_function_arn,
            cold_start = self.cold.swap(false, Ordering::Relaxed),
            xray_trace_id = context.xray_trace_id.as_deref().and_then(trace::xray_root),
        );
        // Boxed, as a router's type within a consumer's is more than the compiler looks through.
        self.answer(payload, context)
            .boxed_local()
            .instrument(span)
            .await
    }

    async fn answer(&self, event: Event, context: Context) -> Result<Box<RawValue>, Diagnostic> {
        let deadline = deadline(&context);
        let answer = match event {
            Event::Http(request) => {
                let event = LambdaEvent::new(*request, context);
                let answer = Adapter::from(self.router.clone()).oneshot(event).await;
                to_raw_value(&answer.unwrap_or_else(|never| match never {}))
            }
            Event::Queue(event) => {
                let batch = MessageBatch::new(event).map_err(|err| failed("Batch", &err))?;
                to_raw_value(&batch.consume(&self.consumer, &self.client, deadline).await)
            }
            Event::Schedule(name) => {
                let tick = self.consumer.tick(&name, deadline);
                let ticked = trace::schedule(&name, logged(tick)).await;
                ticked.map_err(|problem| failed(problem.code(), problem.error()))?;
                to_raw_value(&())
            }
        };
        answer.map_err(|err| failed("Answer", &err))
    }
}

/// When the function is ended.
pub fn deadline(context: &Context) -> Deadline {
    /// The longest that a function may run.
    const MAX_DURATION: Duration = Duration::from_secs(15 * 60);
    // `cargo lambda watch` says how much time there is, in place of when it is over.
    let said = Duration::from_millis(context.deadline);
    if said <= MAX_DURATION {
        return Deadline::after(said);
    }
    Deadline::at(context.deadline())
}

async fn logged(tick: impl Future<Output = Result<()>>) -> Result<()> {
    let result = tick.await;
    result.inspect_err(|problem| problem.log("what was due failed"))
}

/// What the runtime is told of a failed invocation.
fn failed(kind: &str, error: &impl ToString) -> Diagnostic {
    Diagnostic {
        error_type: kind.to_owned(),
        error_message: error.to_string(),
    }
}

/// Gives a request what the gateway and the runtime know of it.
async fn prepare(mut request: Request, next: Next) -> axum::response::Response {
    let address = match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context
            .http
            .source_ip
            .as_deref()
            .and_then(|it| it.parse().ok()),
        _ => None,
    };
    request.extensions_mut().insert(ClientAddress(address));
    if let Some(context) = request.extensions().get::<Context>() {
        let deadline = deadline(context).earlier(MARGIN);
        request.extensions_mut().insert(deadline);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_deadline_is_a_time_or_how_much_time_there_is() {
        let minutes = |it: u64| Duration::from_secs(it * 60);
        let left = |deadline: Duration| {
            let mut context = Context::default();
            context.deadline = u64::try_from(deadline.as_millis()).unwrap();
            super::deadline(&context).left()
        };
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        for left in [left(now + minutes(10)), left(minutes(10))] {
            assert!(minutes(9) < left && left <= minutes(10), "{left:?}");
        }
        assert_eq!(left(now - minutes(1)), Duration::ZERO);
    }
}
