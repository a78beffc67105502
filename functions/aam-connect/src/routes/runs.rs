//! The runs of a connection.

use axum::extract::State;
use platform::extract::{Json, Path, Query};
use platform::{Platform, Reader, Result, db};
use schema::ConnectionId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connections::{self, scope};
use crate::db::runs::{self, Run};
use crate::page::Page;

pub(crate) fn router() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
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
    params(("id" = ConnectionId, Path), Filter), security(("bearer" = ["read"])),
    responses((status = 200, body = Runs)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    Query(filter): Query<Filter>,
) -> Result<Json<Runs>> {
    let order = id.to_string();
    let scope = scope(caller.tenant, "runs", &order);
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = runs::count(&mut tx, caller.tenant, id).await?;
    let runs = runs::list(&mut tx, caller.tenant, id, &page).await?;
    tx.commit().await?;
    let next_cursor = page.next(&platform, &scope, &runs, |it| (it.started_at, it.id.0));
    Ok(Json(Runs {
        runs,
        total,
        next_cursor,
    }))
}
