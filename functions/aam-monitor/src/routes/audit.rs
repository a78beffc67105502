//! Proof that the audit log was not touched.

use axum::extract::State;
use platform::audit::{self, Signer, Verdict};
use platform::extract::Json;
use platform::{Admin, Platform, Result, Routes, db, routes};

pub(crate) fn router() -> Routes<Platform> {
    Routes::new().routes(routes!(verify))
}

/// Verifies the tenant's hash-chained audit log: whether an entry was changed or removed.
#[utoipa::path(get, path = "/api/v1/admin/audit/verify", tag = "monitor",
    operation_id = "audit.verify",
    security(("bearer" = ["admin"])), responses((status = 200, body = Verdict)))]
async fn verify(State(platform): State<Platform>, Admin(caller): Admin) -> Result<Json<Verdict>> {
    let mut tx = db::read(&platform.db, caller.tenant).await?;
    let signer = Signer::of(&platform.secrets).await?;
    let verdict = audit::verify(&mut tx, caller.tenant, &signer).await?;
    Ok(Json(verdict))
}
