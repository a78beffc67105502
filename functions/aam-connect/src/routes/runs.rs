//! The runs of a connection.

use axum::extract::State;
use platform::extract::{Json, Path};
use platform::page::List;
use platform::{Platform, Reader, Result, Routes, db, list_body, routes};
use schema::ConnectionId;

use super::connections;
use crate::db::runs::{self, Run};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

list_body! {
    /// One page of runs, the newest first.
    Runs { runs: [Run] }
}

/// The runs of a connection, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/runs", tag = "connect",
    operation_id = "runs.list",
    params(("id" = ConnectionId, Path), List<Run>), security(("bearer" = ["read"])),
    responses((status = 200, body = Runs)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    list: List<Run>,
) -> Result<Json<Runs>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = runs::count(&mut tx, caller.tenant, id).await?;
    let runs = runs::list(&mut tx, caller.tenant, id, &list.page).await?;
    Ok(list.answer(runs, total))
}
