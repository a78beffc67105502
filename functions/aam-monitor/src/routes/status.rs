//! How the mesh itself is doing.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use platform::extract::Json;
use platform::{Platform, Reader, Result, Routes, db, routes};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::status::{self, Seen};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new()
        .routes(routes!(read))
        .routes(routes!(healthz))
        .routes(routes!(health))
}

/// The platform's services and their status.
#[derive(Serialize, ToSchema)]
struct Overview {
    timestamp: DateTime<Utc>,
    services: Vec<Service>,
    /// `healthy` where every service runs, else `degraded`.
    overall_status: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Service {
    name: &'static str,
    status: Condition,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize, ToSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
#[schema(as = ServiceCondition)]
enum Condition {
    Running,
    Error,
}

/// A job that waits this long says that no worker runs.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// The platform's services with their status: connections, ingest, jobs and the cache.
#[utoipa::path(get, path = "/api/v1/aam/status", tag = "monitor",
    operation_id = "status.read",
    security(("bearer" = ["read"])), responses((status = 200, body = Overview)))]
async fn read(State(platform): State<Platform>, Reader(caller): Reader) -> Result<Json<Overview>> {
    let timestamp = Utc::now();
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let seen = status::read(&mut tx, caller.tenant, timestamp - PATIENCE).await?;
    let cache = platform.cache.problem().await;
    Ok(Json(overview(timestamp, &seen, cache)))
}

/// The database has answered, or nothing would have been seen.
fn overview(timestamp: DateTime<Utc>, seen: &Seen, cache: Option<&str>) -> Overview {
    let problem = |count: i64, text: &str| (count > 0).then(|| format!("{count} {text}"));
    let services = vec![
        service("database", None),
        service("cache", cache.map(str::to_owned)),
        service(
            "connections",
            problem(seen.failed_connections, "connections have failed"),
        ),
        service(
            "ingest",
            problem(seen.failed_runs, "runs failed in the last 24 hours"),
        ),
        service(
            "jobs",
            problem(seen.stuck_jobs, "jobs have waited over 5 minutes"),
        ),
    ];
    let healthy = services.iter().all(|it| it.status == Condition::Running);
    let overall_status = if healthy { "healthy" } else { "degraded" };
    Overview {
        timestamp,
        services,
        overall_status,
    }
}

/// Whether the database answers.
#[utoipa::path(get, path = "/api/v1/aam/healthz", tag = "monitor",
    operation_id = "status.healthz",
    responses((status = 200, body = Object), (status = 503, body = Object)))]
async fn healthz(State(platform): State<Platform>) -> (StatusCode, Json<serde_json::Value>) {
    match db::ping(&platform.db).await {
        Ok(()) => (StatusCode::OK, Json(json!({ "ok": true }))),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "ok": false })),
            )
        }
    }
}

/// Whether the process runs.
#[utoipa::path(get, path = "/api/v1/aam/health", tag = "monitor",
    operation_id = "status.health", responses((status = 200, body = Object)))]
async fn health() -> Json<serde_json::Value> {
    Json(json!({ "status": "healthy", "service": "aam_monitoring", "timestamp": Utc::now() }))
}

fn service(name: &'static str, error: Option<String>) -> Service {
    let status = if error.is_none() {
        Condition::Running
    } else {
        Condition::Error
    };
    Service {
        name,
        status,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The overall status, and each part that does not run.
    fn check(counts: [i64; 3], cache: Option<&str>, expected: &str) {
        let [failed_connections, failed_runs, stuck_jobs] = counts;
        let seen = Seen {
            failed_connections,
            failed_runs,
            stuck_jobs,
        };
        let found = overview(DateTime::UNIX_EPOCH, &seen, cache);
        let mut words = vec![found.overall_status.to_owned()];
        for service in found.services {
            assert_eq!(service.status == Condition::Error, service.error.is_some());
            words.extend(service.error.map(|it| format!("{}: {it}", service.name)));
        }
        assert_eq!(words.join("; "), expected);
    }

    #[test]
    fn one_part_that_does_not_run_degrades_the_mesh() {
        check([0, 0, 0], None, "healthy");
        check([0, 0, 0], Some("gone"), "degraded; cache: gone");
        check(
            [3, 0, 0],
            None,
            "degraded; connections: 3 connections have failed",
        );
        check(
            [0, 1, 2],
            None,
            "degraded; ingest: 1 runs failed in the last 24 hours; \
             jobs: 2 jobs have waited over 5 minutes",
        );
    }
}
