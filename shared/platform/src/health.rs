//! Health: alive without a look at anything, ready after a look at everything.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::future::join3;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Auth;
use crate::cache::Cache;
use crate::secrets::Secrets;
use crate::{Platform, Routes, db, routes};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(health))
        .routes(routes!(api_health))
}

/// The readiness and what was checked.
#[derive(Serialize, ToSchema)]
struct Readiness {
    status: Status,
    checks: Checks,
    auth: AuthMode,
}

#[derive(Serialize, ToSchema, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReadinessStatus)]
enum Status {
    Ready,
    Degraded,
    Unavailable,
}

#[derive(Serialize, ToSchema)]
struct Checks {
    database: Check,
    redis: Check,
    secrets: Check,
}

#[derive(Serialize, ToSchema)]
struct Check {
    /// `ok`, `failed`, or `not_configured`.
    status: &'static str,
    latency_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct AuthMode {
    /// `on`, or `off` in development.
    mode: &'static str,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", tag = "health",
    operation_id = "health.live", responses((status = 200, body = Object)))]
async fn live() -> impl IntoResponse {
    Json(serde_json::json!({ "status": "ok", "timestamp": chrono::Utc::now() }))
}

/// Readiness: whether the database, Redis and the secrets are available, each with its latency.
#[utoipa::path(get, path = "/health/ready", tag = "health",
    operation_id = "health.ready",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn ready(State(platform): State<Platform>) -> impl IntoResponse {
    let (database, redis, (secrets, usable)) = join3(
        database(&platform.db),
        redis(&platform.cache),
        secrets(&platform.secrets),
    )
    .await;
    let status = match (database.error, redis.error.or(secrets.error)) {
        (Some(_), _) => Status::Unavailable,
        _ if !usable => Status::Unavailable,
        (None, Some(_)) => Status::Degraded,
        (None, None) => Status::Ready,
    };
    let code = match status {
        Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Status::Ready | Status::Degraded => StatusCode::OK,
    };
    let mode = if matches!(platform.auth, Auth::On(_)) {
        "on"
    } else {
        "off"
    };
    let checks = Checks {
        database,
        redis,
        secrets,
    };
    (
        code,
        Json(Readiness {
            status,
            checks,
            auth: AuthMode { mode },
        }),
    )
}

/// Whether the process runs, at a path kept for older clients.
#[utoipa::path(get, path = "/health", tag = "health",
    operation_id = "health.read", responses((status = 200, body = Object)))]
async fn health() -> impl IntoResponse {
    Json(serde_json::json!({ "status": "ok" }))
}

/// Whether the process runs, at a path kept for older clients.
#[utoipa::path(get, path = "/api/v1/health", tag = "health",
    operation_id = "health.read_api", responses((status = 200, body = Object)))]
async fn api_health(State(platform): State<Platform>) -> impl IntoResponse {
    let mode = if matches!(platform.auth, Auth::On(_)) {
        "prod"
    } else {
        "dev"
    };
    Json(serde_json::json!({ "ok": true, "service": "AOS", "mode": mode }))
}

async fn database(pool: &db::Pool) -> Check {
    let answers = check(db::ping(pool), "the database does not answer").await;
    if answers.error.is_some() {
        return answers;
    }
    let complaint = "the database takes nothing more: see whether its disk is full";
    let writable = check(db::require_writable(pool), complaint).await;
    if writable.error.is_some() {
        writable
    } else {
        answers
    }
}

async fn redis(cache: &Cache) -> Check {
    match cache {
        Cache::Memory(_) => Check {
            status: "not_configured",
            latency_ms: 0.0,
            error: None,
        },
        Cache::Redis(_) => check(cache.ping(), "redis does not answer").await,
    }
}

/// How the last reading went, and whether there are keys to go on with, of whatever age.
async fn secrets(secrets: &Secrets) -> (Check, bool) {
    let start = Instant::now();
    let usable = secrets.get().await.is_ok();
    let error = secrets.failure().map(|it| it.complaint());
    let check = Check {
        status: if error.is_none() { "ok" } else { "failed" },
        latency_ms: start.elapsed().as_secs_f64() * 1e3,
        error,
    };
    (check, usable)
}

const PATIENCE: Duration = Duration::from_secs(2);

async fn check<E: std::fmt::Display>(
    probe: impl Future<Output = Result<(), E>>,
    complaint: &'static str,
) -> Check {
    let start = Instant::now();
    // A pool tries for longer; whoever asks wants to know by now.
    let result = match tokio::time::timeout(PATIENCE, probe).await {
        Ok(result) => result.map_err(|it| it.to_string()),
        Err(elapsed) => Err(elapsed.to_string()),
    };
    let latency_ms = start.elapsed().as_secs_f64() * 1e3;
    match result {
        Ok(()) => Check {
            status: "ok",
            latency_ms,
            error: None,
        },
        Err(error) => {
            tracing::warn!(%error, "{complaint}");
            Check {
                status: "failed",
                latency_ms,
                error: Some(complaint),
            }
        }
    }
}
