//! The original's list of connections.

use axum::extract::State;
use platform::extract::Json;
use platform::page::List;
use platform::{Platform, Reader, Result, Routes, db, list_body, routes};

use crate::db::connection_overviews::{self, ConnectionOverview};
use crate::db::connections::{self, Wanted};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

list_body! {
    Connectors { connectors: [ConnectionOverview] }
}

/// The tenant's connections by name, each with its latest event.
#[utoipa::path(get, path = "/api/v1/aam/connectors", tag = "connect",
    operation_id = "connectors.list", params(List<ConnectionOverview>),
    security(("bearer" = ["read"])), responses((status = 200, body = Connectors)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    list: List<ConnectionOverview>,
) -> Result<Json<Connectors>> {
    let all = Wanted {
        source_type: None,
        status: None,
    };
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = connections::count(&mut tx, caller.tenant, &all).await?;
    let connectors = connection_overviews::list(&mut tx, caller.tenant, &list.page).await?;
    Ok(list.answer(connectors, total))
}
