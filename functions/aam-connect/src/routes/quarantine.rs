//! The records of a connection that were kept aside.

use axum::extract::State;
use platform::extract::{Json, Path};
use platform::page::List;
use platform::{Platform, Reader, Result, Routes, db, list_body, routes};
use schema::ConnectionId;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::connections::{self, check_name};
use crate::db::quarantine::{self, Quarantined};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(list))
}

#[derive(Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only records of this object, such as `hubspot.account`.
    object: Option<String>,
}

list_body! {
    /// One page of quarantined records, the newest first.
    Quarantine { records: [Quarantined] }
}

/// The records that could not be mapped, each with the reason and the payload as received.
#[utoipa::path(get, path = "/api/v1/aam/connections/{id}/quarantine", tag = "connect",
    operation_id = "quarantine.list",
    params(("id" = ConnectionId, Path), List<Quarantined, Filter>), security(("bearer" = ["read"])),
    responses((status = 200, body = Quarantine)))]
async fn list(
    State(platform): State<Platform>,
    Reader(caller): Reader,
    Path(id): Path<ConnectionId>,
    list: List<Quarantined, Filter>,
) -> Result<Json<Quarantine>> {
    let object = list.filter.object.as_deref();
    check_name("?object", object)?;
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    connections::get(&mut tx, caller.tenant, id).await?;
    let total = quarantine::count(&mut tx, caller.tenant, id, object).await?;
    let records = quarantine::list(&mut tx, caller.tenant, id, object, &list.page).await?;
    Ok(list.answer(records, total))
}
