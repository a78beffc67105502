//! Changes of the sources' structure that were noticed.

use axum::extract::State;
use platform::cursor::Scope;
use platform::extract::{Json, Path, Query};
use platform::page::Page;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::drift::DriftStatus;
use schema::{ConnectionId, DriftId, Error};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::drift::{self, Drift};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list)).routes(routes!(read))
}

/// Which drifts, and how many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those that stand there.
    status: Option<DriftStatus>,
    /// Only those of this connection.
    connection_id: Option<ConnectionId>,
    /// 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of drifts, the newest first.
#[derive(Serialize, ToSchema)]
struct Drifts {
    drift_events: Vec<Drift>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Noticed changes of structure, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/drift", tag = "monitor", params(Filter),
    operation_id = "drift.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Drifts)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(filter): Query<Filter>,
) -> Result<Json<Drifts>> {
    let order = format!("{:?} {:?}", filter.status, filter.connection_id);
    let scope = Scope {
        tenant: caller.tenant,
        route: "drift",
        order: &order,
    };
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let wanted = drift::Wanted {
        status: filter.status,
        connection: filter.connection_id,
    };

    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let total = drift::count(&mut tx, caller.tenant, &wanted).await?;
    let mut drift_events = drift::list(&mut tx, caller.tenant, &wanted, &page).await?;
    let place = |it: &Drift| (it.created_at, it.id.0);
    let next_cursor = page.next(&scope, &mut drift_events, place);
    Ok(Json(Drifts {
        drift_events,
        total,
        next_cursor,
    }))
}

/// One noticed change of structure.
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
