//! The original's list of connections.

use axum::extract::State;
use chrono::{DateTime, Utc};
use platform::extract::{Json, Query};
use platform::{Platform, Reader, Result, db};
use schema::ConnectionId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connections::scope;
use crate::db::connections::{self, Wanted};
use crate::db::connectors::{self, Row};
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

#[derive(Serialize, ToSchema)]
struct Connectors {
    connectors: Vec<Connector>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// One connection and what happened on it last.
#[derive(Serialize, ToSchema)]
struct Connector {
    id: ConnectionId,
    name: String,
    source_type: String,
    status: String,
    /// Fields that are mapped, over all objects seen.
    mapping_count: i64,
    /// `sync_running`, `sync_completed`, `sync_failed` or `drift_detected`.
    last_event_type: Option<String>,
    last_event_at: Option<DateTime<Utc>>,
    /// Whether a drift is open.
    has_drift: bool,
    last_sync_status: Option<String>,
    last_sync_records: Option<i64>,
    last_sync_bytes: Option<i64>,
    last_sync_at: Option<DateTime<Utc>>,
    /// When a structure was last learnt.
    last_discovery_at: Option<DateTime<Utc>>,
}

/// The tenant's connections by name, with what happened on each last.
#[utoipa::path(get, path = "/api/v1/aam/connectors", tag = "connect", params(Filter),
    security(("bearer" = ["read"])), responses((status = 200, body = Connectors)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Query(filter): Query<Filter>,
) -> Result<Json<Connectors>> {
    let scope = scope(caller.tenant, "connectors", "name");
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let all = Wanted {
        source_type: None,
        status: None,
        page: Page {
            limit: 0,
            after: None,
        },
    };
    let mut tx = db::begin(&platform.db, caller.tenant).await?;
    let total = connections::count(&mut tx, caller.tenant, &all).await?;
    let rows = connectors::list(&mut tx, caller.tenant, &page).await?;
    tx.commit().await?;
    Ok(Json(Connectors {
        total,
        next_cursor: page.next(&platform, &scope, &rows, |it| it.name.clone()),
        connectors: rows.into_iter().map(show).collect(),
    }))
}

fn show(row: Row) -> Connector {
    let objects = row.shipped_systems.iter().zip(&row.shipped_entities);
    let shipped: usize = objects
        .filter_map(|(system, entity)| dcl::shipped::find(system, entity))
        .map(|it| it.fields.len())
        .sum();
    Connector {
        id: row.id,
        name: row.name,
        source_type: row.source_type,
        status: row.status,
        mapping_count: row.own_fields + i64::try_from(shipped).unwrap_or(i64::MAX),
        last_event_type: row.last_event_type,
        last_event_at: row.last_event_at,
        has_drift: row.has_drift,
        last_sync_status: row.last_sync_status,
        last_sync_records: row.last_sync_records,
        last_sync_bytes: row.last_sync_bytes,
        last_sync_at: row.last_sync_at,
        last_discovery_at: row.last_discovery_at,
    }
}
