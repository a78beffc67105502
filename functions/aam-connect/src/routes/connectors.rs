//! The original's list of connections.

use axum::extract::State;
use platform::extract::{Json, Query};
use platform::page::{Page, Parameters};
use platform::{Platform, Reader, Result, Routes, db, routes};
use serde::Serialize;
use utoipa::ToSchema;

use super::connections::scope;
use crate::db::connection_overviews::{self, ConnectionOverview};
use crate::db::connections::{self, Wanted};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

#[derive(Serialize, ToSchema)]
struct Connectors {
    connectors: Vec<ConnectionOverview>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// The tenant's connections by name, with what happened on each last.
#[utoipa::path(get, path = "/api/v1/aam/connectors", tag = "connect", params(Parameters),
    operation_id = "connectors.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Connectors)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Connectors>> {
    let scope = scope(caller.tenant, "connectors", "name");
    let page = Page::read(
        &platform,
        &scope,
        parameters.limit,
        parameters.cursor.as_deref(),
    )?;
    let all = Wanted {
        source_type: None,
        status: None,
    };
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = connections::count(&mut tx, caller.tenant, &all).await?;
    let mut connectors = connection_overviews::list(&mut tx, caller.tenant, &page).await?;
    let next_cursor = page.next(&scope, &mut connectors, |it| it.name.clone());
    Ok(Json(Connectors {
        connectors,
        total,
        next_cursor,
    }))
}
