//! What happened lately: runs, and drifts that they found.

use axum::extract::State;
use platform::extract::{Json, Query};
use platform::page::check_limit;
use platform::{Platform, Reader, Result, Routes, db, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::events::{self, Event};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// How many there are at most.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
}

/// The latest events.
#[derive(Serialize, ToSchema)]
struct Events {
    events: Vec<Event>,
    /// How many are shown.
    total: usize,
    /// Always `database`.
    data_source: &'static str,
}

/// The latest runs and drifts, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/events", tag = "monitor", params(Filter),
    operation_id = "events.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Events)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(filter): Query<Filter>,
) -> Result<Json<Events>> {
    let limit = check_limit(filter.limit.unwrap_or(50))?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let events = events::list(&mut tx, caller.tenant, limit).await?;
    Ok(Json(Events {
        total: events.len(),
        events,
        data_source: "database",
    }))
}
