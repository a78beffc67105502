//! The figures of the last day.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use platform::extract::Json;
use platform::{Platform, Reader, Result, Routes, db, routes};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::metrics::{self, Figures};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(read))
}

/// Counts and rates; zero where there is no data.
#[derive(Serialize, ToSchema)]
struct Metrics {
    #[serde(flatten)]
    figures: Figures,
    drift: Drift,
    timestamp: DateTime<Utc>,
    /// Always `database`.
    data_source: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DriftCounts)]
struct Drift {
    /// Drifts detected in the last 24 hours by source type, for each type that is connected.
    last_24h: BTreeMap<String, i64>,
}

/// Connections, drifts and repairs of the caller's tenant.
#[utoipa::path(get, path = "/api/v1/aam/metrics", tag = "monitor",
    operation_id = "metrics.read",
    security(("bearer" = ["read"])), responses((status = 200, body = Metrics)))]
async fn read(State(platform): State<Platform>, Reader(caller): Reader) -> Result<Json<Metrics>> {
    let timestamp = Utc::now();
    let since = timestamp - TimeDelta::hours(24);
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let figures = metrics::figures(&mut tx, caller.tenant, since).await?;
    let last_24h = metrics::drift_by_source(&mut tx, caller.tenant, since).await?;
    let drift = Drift {
        last_24h: last_24h.into_iter().collect(),
    };
    Ok(Json(Metrics {
        figures,
        drift,
        timestamp,
        data_source: "database",
    }))
}
