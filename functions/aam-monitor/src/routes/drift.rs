//! Changes of the sources' structure that were noticed.

use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::extract::{Json, Path, Query};
use platform::{Platform, Reader, Result, cursor, db};
use schema::drift::DriftStatus;
use schema::{ConnectionId, DriftId, Error};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::db::drift::{self, Drift};

pub(crate) fn router() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
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
struct Page {
    drift_events: Vec<Drift>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Noticed changes of structure, the newest first.
#[utoipa::path(get, path = "/api/v1/aam/drift", tag = "monitor", params(Filter),
    operation_id = "drift.list",
    security(("bearer" = ["read"])), responses((status = 200, body = Page)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>> {
    let limit = filter.limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid("?limit", "1 to 1000").into());
    }
    let order = format!("{:?} {:?}", filter.status, filter.connection_id);
    let scope = cursor::Scope {
        tenant: caller.tenant,
        route: "drift",
        order: &order,
    };
    let key = &platform.keys.signing;
    let after = filter
        .cursor
        .map(|it| cursor::open(key, &scope, &it))
        .transpose()?;

    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let wanted = drift::Wanted {
        status: filter.status,
        connection: filter.connection_id,
        after,
        limit,
    };
    let total = drift::count(&mut tx, caller.tenant, &wanted).await?;
    let drift_events = drift::list(&mut tx, caller.tenant, &wanted).await?;
    tx.commit().await?;

    let full = i64::try_from(drift_events.len()) == Ok(limit);
    let next_cursor = drift_events
        .last()
        .filter(|_| full)
        .map(|it| cursor::seal(key, &scope, &(it.created_at, it.id)));
    Ok(Json(Page {
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
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let drift = drift::find(&mut tx, caller.tenant, id).await?;
    tx.commit().await?;
    Ok(Json(drift.ok_or(Error::NotFound {
        what: "drift event",
    })?))
}

/// The place behind a drift in the list.
pub(crate) type Place = (DateTime<Utc>, DriftId);
