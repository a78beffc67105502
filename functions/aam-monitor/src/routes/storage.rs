//! How much the tenant has stored.

use axum::extract::State;
use platform::extract::Json;
use platform::storage::{self, Storage};
use platform::{Platform, Reader, Result, Routes, db, routes};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(read))
}

/// How much the tenant has stored, and how much it may. Where that is exceeded, uploads and events
/// get 507 and syncs fail, until connections were deleted or the quota was raised.
#[utoipa::path(get, path = "/api/v1/aam/storage", tag = "monitor",
    operation_id = "storage.read",
    security(("bearer" = ["read"])), responses((status = 200, body = Storage)))]
async fn read(State(platform): State<Platform>, Reader(caller): Reader) -> Result<Json<Storage>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let found = storage::find(&platform, &mut tx, caller.tenant).await?;
    Ok(Json(found))
}
