//! From a function's routes to the service that answers: the layers that all of them share.

use std::any::Any;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use schema::Error;
use serde_json::Value;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::deadline::Deadline;
use crate::extract::BODY_LIMIT;
use crate::openapi::describe;
use crate::{Platform, Problem, Routes, health, idempotency, security_headers, trace};

/// Where a function describes itself.
const DOCUMENT: &str = "/openapi.json";

/// The service of these routes, with health, the OpenAPI document and every common layer.
pub fn serve(routes: Routes, platform: Platform, title: &str) -> Router {
    let (router, description) = with_health(routes, &platform).split();
    // Who describes more than itself has a route for it.
    let router = if description.has(DOCUMENT) {
        router
    } else {
        let own = Arc::new((description, title.to_owned()));
        let document = async move || Json(describe(own.0.document(), &own.1));
        router.route(DOCUMENT, axum::routing::get(document))
    };
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        // Below the kept answers: a panic and an end of the time give the key free as any failure.
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(platform.clone(), idempotency::layer))
        .layer(cors(&platform))
        .layer(compression())
        .layer(from_fn(security_headers::layer))
        .layer(from_fn(trace::layer))
}

/// The document of these routes, as [`serve`] serves it unless one of them does.
pub fn openapi(routes: Routes, platform: &Platform, title: &str) -> Value {
    let (_, description) = with_health(routes, platform).split();
    describe(description.document(), title)
}

fn with_health(routes: Routes, platform: &Platform) -> Routes {
    routes.merge(health::router().with_state(platform.clone()))
}

/// Answers that are worth it are compressed for who takes it: those of more than one packet. A
/// request proves itself in a header that no browser sends unasked, so nobody can have a secret
/// compressed beside a text of their own to learn it from the length.
fn compression() -> CompressionLayer<impl Predicate> {
    const ONE_PACKET: u64 = 1400;
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(ONE_PACKET).and(NotForContentType::IMAGES))
}

fn cors(platform: &Platform) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(platform.cors_origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("x-trace-id"),
            // What caches, event streams and PostgREST's clients send.
            header::IF_NONE_MATCH,
            header::RANGE,
            HeaderName::from_static("range-unit"),
            HeaderName::from_static("prefer"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("accept-profile"),
            HeaderName::from_static("apikey"),
            HeaderName::from_static("x-client-info"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
            HeaderName::from_static("x-slo-coverage"),
            header::ETAG,
            header::CONTENT_RANGE,
            HeaderName::from_static("x-trace-id"),
            HeaderName::from_static("x-idempotent-replay"),
        ])
}

/// Answers before the function is ended, where the request has a deadline.
async fn in_time(request: Request, next: Next) -> Response {
    let Some(deadline) = request.extensions().get::<Deadline>().copied() else {
        return next.run(request).await;
    };
    let late = Error::Unavailable("the request took too long: ask for less at once");
    let answer = deadline.limit(next.run(request)).await;
    answer.unwrap_or_else(|| Problem::from(late).into_response())
}

async fn not_found(request: Request) -> Problem {
    let what = format!("no route {} {}", request.method(), request.uri().path());
    Problem::with_status(Error::BadRequest(what), StatusCode::NOT_FOUND)
}

async fn method_not_allowed(request: Request) -> Problem {
    let what = format!("{} is not for {}", request.method(), request.uri().path());
    Problem::with_status(Error::BadRequest(what), StatusCode::METHOD_NOT_ALLOWED)
}

fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    panicked(panic).into_response()
}

/// What a panic is to whoever waits for the answer.
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Problem {
    let text = panic
        .downcast_ref::<&str>()
        .map(|it| (*it).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    Error::Internal(text.into()).into()
}
