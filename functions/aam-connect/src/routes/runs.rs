//! The runs of a connection.

use axum::extract::State;
use platform::extract::{Json, Path, Query};
use platform::page::{Page, Parameters};
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::ConnectionId;
use serde::Serialize;
use utoipa::ToSchema;

use super::connections::{self, scope};
use crate::db::runs::{self, Run};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

/// One page of runs, the newest first.
#[derive(Serialize, ToSchema)]
struct Runs {
    runs: Vec<Run>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// What came over a connection, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/runs", tag = "connect",
    operation_id = "runs.list",
    params(("id" = ConnectionId, Path), Parameters), security(("bearer" = ["read"])),
    responses((status = 200, body = Runs)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Runs>> {
    let order = id.to_string();
    let scope = scope(caller.tenant, "runs", &order);
    let page = Page::read(
        &platform,
        &scope,
        parameters.limit,
        parameters.cursor.as_deref(),
    )?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = runs::count(&mut tx, caller.tenant, id).await?;
    let mut runs = runs::list(&mut tx, caller.tenant, id, &page).await?;
    let next_cursor = page.next(&scope, &mut runs, |it| (it.started_at, it.id.0));
    Ok(Json(Runs {
        runs,
        total,
        next_cursor,
    }))
}
