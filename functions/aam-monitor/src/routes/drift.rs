//! Changes of the sources' structure that were noticed.

use axum::extract::State;
use platform::extract::{Json, Path};
use platform::page::List;
use platform::{Platform, Reader, Result, Routes, db, list_body, routes};
use schema::{DriftId, Error};

use crate::db::drift::{self, Drift, DriftFilter};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list)).routes(routes!(read))
}

list_body! {
    /// One page of drifts, the newest first.
    Drifts { drift_events: [Drift] }
}

/// Detected schema drift, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/drift", tag = "monitor", params(List<Drift, DriftFilter>),
    operation_id = "drift.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Drifts)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    list: List<Drift, DriftFilter>,
) -> Result<Json<Drifts>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = drift::count(&mut tx, caller.tenant, &list.filter).await?;
    let drift_events = drift::list(&mut tx, caller.tenant, &list.filter, &list.page).await?;
    Ok(list.answer(drift_events, total))
}

/// One drift.
#[utoipa::path(get, path = "/api/v1/aam/drift/{id}", tag = "monitor",
    operation_id = "drift.read", params(("id" = DriftId, Path)),
    security(("bearer" = ["read"])), responses((status = 200, body = Drift)))]
async fn read(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<DriftId>,
) -> Result<Json<Drift>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let drift = drift::find(&mut tx, caller.tenant, id).await?;
    Ok(Json(drift.ok_or(Error::NotFound {
        what: "drift event",
    })?))
}
