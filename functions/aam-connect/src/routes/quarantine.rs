//! The records of a connection that were kept aside.

use axum::extract::State;
use platform::extract::{Json, Path, Query};
use platform::page::Page;
use platform::{Platform, Reader, Result, Routes, db, routes};
use schema::ConnectionId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::connections::{self, check_name, scope};
use crate::db::quarantine::{self, Quarantined};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only records of this object, such as `hubspot.account`.
    object: Option<String>,
    /// 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of quarantined records, the newest first.
#[derive(Serialize, ToSchema)]
struct Quarantine {
    records: Vec<Quarantined>,
    /// How many there are on all pages.
    total: i64,
    /// Hand it back as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Records that could not be mapped, each with its reason and as it was received.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/quarantine", tag = "connect",
    operation_id = "quarantine.list",
    params(("id" = ConnectionId, Path), Filter), security(("bearer" = ["read"])),
    responses((status = 200, body = Quarantine)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    Query(filter): Query<Filter>,
) -> Result<Json<Quarantine>> {
    let object = filter.object.as_deref();
    check_name("?object", object)?;
    let order = format!("{id} {object:?}");
    let scope = scope(caller.tenant, "quarantine", &order);
    let page = Page::read(&platform, &scope, filter.limit, filter.cursor.as_deref())?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = quarantine::count(&mut tx, caller.tenant, id, object).await?;
    let mut records = quarantine::list(&mut tx, caller.tenant, id, object, &page).await?;
    let next_cursor = page.next(&scope, &mut records, |it| (it.created_at, it.id));
    Ok(Json(Quarantine {
        records,
        total,
        next_cursor,
    }))
}
